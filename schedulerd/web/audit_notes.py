"""What the gate writes into the audit of a request that changed something. A route may tell it better than its path does."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from schedulerd.domain.access import Principal
from schedulerd.domain.audit import Change
from schedulerd.domain.child_runs import AnyRun
from schedulerd.domain.runs import Run

_STATE: Final = "change"
_VERBS: Final = {"POST": "create", "PUT": "set", "PATCH": "change", "DELETE": "delete"}


def tell_audit(
    request: Request,
    target: str,
    *,
    what: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Have the audit tell of this request so: what was changed, and its values. Without `what` the path says that."""
    setattr(request.state, _STATE, Change(what=what, target=target, before=before, after=after))


def tell_start(request: Request, run: Run, *, of: str = "") -> None:
    """Have the audit tell that a run was asked for, with which parameters, and `of` which other one."""
    after = {"run": run.selector, "parameters": dict(run.parameters)} | ({"of": of} if of else {})
    tell_audit(request, run.flow, what="runs.start", after=after)


def tell_wish(request: Request, run: AnyRun, **said: Any) -> None:
    """Have the audit tell what was asked of a run, with what was said about it; the path says what that is."""
    tell_audit(request, run.selector, after=said)


def is_told(request: Request) -> None:
    """The operation has told the audit itself."""
    setattr(request.state, _STATE, None)


def told_by(request: Request) -> Principal:
    """Who asks, for an operation that tells the audit itself."""
    is_told(request)
    principal: Principal = request.state.principal
    return principal


def change_of(request: Request, path: str) -> Change | None:
    """What the audit is to tell of a request to this path (with its parameters in braces); None for nothing."""
    values = " ".join(str(value) for value in request.path_params.values())
    said: Change | None = getattr(request.state, _STATE, Change(what="", target=values))
    if said is None or said.what:
        return said
    return Change(
        what=what_of(request.method, path), target=said.target, before=said.before, after=said.after
    )


def what_of(method: str, path: str) -> str:
    """`runs.cancel` of `POST /api/v1/runs/{run}/cancel`, as of the page's form."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["api", "v1"]:
        parts = parts[2:]
    words = [part for part in parts if not part.startswith("{")]
    ends_in_word = len(words) > 1 and bool(parts) and not parts[-1].startswith("{")
    return ".".join(words if ends_in_word else [*words, _VERBS.get(method, method.lower())])
