"""What a route needs: a role, and of a token a scope. Where a route says nothing: to look a viewer, to change an operator.

The scope of a route that says nothing follows from its path; what is in no list is for tokens of admins only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from schedulerd.domain.access import Principal, Role, Scope
from schedulerd.sentences import said

SAFE: Final = ("GET", "HEAD", "OPTIONS")
_API: Final = ("api", "v1")
_READING: Final[Mapping[str, Scope]] = {
    "flows": Scope.FLOWS_READ,
    "schedules": Scope.FLOWS_READ,
    "calendar": Scope.FLOWS_READ,
    "cron": Scope.FLOWS_READ,
    "discovered-flows": Scope.FLOWS_READ,
    "runs": Scope.RUNS_READ,
    "backfills": Scope.RUNS_READ,
    "events": Scope.RUNS_READ,
    "agents": Scope.AGENTS_READ,
    "pools": Scope.AGENTS_READ,
    "system": Scope.AGENTS_READ,
    "metrics": Scope.AGENTS_READ,
    "variables": Scope.FLOWS_READ,
    "limits": Scope.FLOWS_READ,
}
_CHANGING: Final[Mapping[str, Scope]] = {
    "agents": Scope.AGENTS_WRITE,
    "flows": Scope.FLOWS_WRITE,
    "schedules": Scope.FLOWS_WRITE,
    "variables": Scope.FLOWS_WRITE,
    "limits": Scope.FLOWS_WRITE,
    "runs": Scope.RUNS_TRIGGER,
    "backfills": Scope.RUNS_TRIGGER,
}
_ATTRIBUTE: Final = "_schedulerd_needs"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What somebody needs; without a scope any token will do."""

    role: Role
    scope: Scope | None

    def missing(self, principal: Principal) -> str:
        """What this one has not, in words; empty where nothing is missing."""
        if self.scope is not None and not principal.is_for(self.scope):
            return said("this token is not for {scope}", scope=self.scope)
        if not principal.may(self.role):
            return said(
                "this needs the role {role}; {name} is {value}",
                role=self.role,
                name=principal.name,
                value=principal.role,
            )
        return ""


def needs(role: Role, scope: Scope | None = None) -> Callable[[Endpoint], Endpoint]:
    """Have a route need this and not what follows from its method and path. Without a scope any token will do."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ATTRIBUTE, Needs(role=role, scope=scope))
        return endpoint

    return mark


def needs_of(endpoint: Any, method: str, path: str) -> Needs:
    """What the route with this method and path needs."""
    said: Needs | None = getattr(endpoint, _ATTRIBUTE, None)
    if said is not None:
        return said
    scope = _scope(method, [part for part in path.split("/") if part])
    return Needs(role=Role.VIEWER if method in SAFE else Role.OPERATOR, scope=scope)


def _scope(method: str, parts: list[str]) -> Scope:
    if tuple(parts[:2]) == _API:
        parts = parts[2:]
    first, last = (parts[0], parts[-1]) if parts else ("", "")
    if method in SAFE:
        return _to_read(first, parts)
    if first == "runs" and last in ("cancel", "kill"):
        return Scope.RUNS_CANCEL
    if first == "flows" and last in ("run", "runs"):
        return Scope.RUNS_TRIGGER
    return _CHANGING.get(first, Scope.ADMIN)


def _to_read(first: str, parts: list[str]) -> Scope:
    """What lies below a log is of the log, and the runs of a flow, and the strip of its last ones, are runs."""
    if "logs" in parts or "log" in parts:
        return Scope.LOGS_READ
    if first == "flows" and ("runs" in parts or "strip" in parts):
        return Scope.RUNS_READ
    return _READING.get(first, Scope.ADMIN)
