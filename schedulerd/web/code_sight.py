"""Tracebacks and errors of imports quote code: who shows a token that is for neither code nor logs is told of them without it."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from schedulerd.domain.access import Principal, Scope


def sees_code(request: Request) -> bool:
    """May whoever asks see lines of code?"""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal is not None and (principal.is_for(Scope.FLOWS_READ) or principal.is_for(Scope.LOGS_READ))


def as_seen(request: Request, run: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of a run or a task, of what it holds too, as whoever asks may see it."""
    return dict(run) if sees_code(request) else _without_code(run)


def _without_code(shape: Mapping[str, Any]) -> dict[str, Any]:
    seen = dict(shape)
    if error := seen.get("error"):
        seen["error"] = {**error, "traceback": ""}
    for inner in ("tasks", "children"):
        if inner in seen:
            seen[inner] = [_without_code(one) for one in seen[inner]]
    return seen
