"""Secrets as Prefect 1 finds them on one's own machine: in variables of the environment."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Any

PREFIXES: Final = ("SCHEDULERD__CONTEXT__SECRETS__", "PREFECT__CONTEXT__SECRETS__")


def local_secrets() -> dict[str, Any]:
    """All secrets of the environment, by name; what reads as JSON is what it says, the rest is text."""
    found: dict[str, Any] = {}
    for prefix in reversed(PREFIXES):
        for variable, value in os.environ.items():
            if variable.startswith(prefix):
                found[variable.removeprefix(prefix)] = _read(value)
    return found


def secret(name: str) -> Any:
    """The secret of that name: of `with context(secrets=...)`, else of the environment; raises `ValueError` where there is none."""
    from schedulerd.authoring.context_values import ContextValues

    secrets = ContextValues().get("secrets") or {}
    if name not in secrets:
        raise ValueError(
            f"there is no secret {name!r} here: set {PREFIXES[0]}{name} in the environment of the run"
        )
    return secrets[name]


class Secret:
    """A secret by its name: `Secret("DB_PASSWORD").get()`, within a task. Prefect 1's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self) -> Any:
        """The secret; raises `ValueError` where there is none of that name."""
        return secret(self.name)

    def exists(self) -> bool:
        """Is there one of that name?"""
        try:
            secret(self.name)
        except ValueError:
            return False
        return True


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
