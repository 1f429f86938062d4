"""Secrets by name: of the environment, else of the daemon, or of the project where no daemon runs the flow.

What this process has been given of them is kept out of all that it records.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.asking import ask, is_idle, present_channel
from schedulerd.authoring.dual import aside, dual
from schedulerd.authoring.redacting import given
from schedulerd.authoring.refusals import Refused
from schedulerd.domain.variables import check_name, check_value

if TYPE_CHECKING:
    from typing import Any

PREFIXES: Final = ("SCHEDULERD__CONTEXT__SECRETS__", "PREFECT__CONTEXT__SECRETS__")


def local_secrets() -> dict[str, Any]:
    """All secrets of the environment, by name; what reads as JSON is what it says, the rest is text."""
    found: dict[str, Any] = {}
    for prefix in reversed(PREFIXES):
        for variable, value in os.environ.items():
            if variable.startswith(prefix):
                given.add(value)
                found[variable.removeprefix(prefix)] = _read(value)
    return found


def secret(name: str) -> Any:
    """The secret of that name: of `with context(secrets=...)`, of the environment, else of the daemon or the project.

    Raises `ValueError` where there is none.
    """
    from schedulerd.authoring.context_values import ContextValues

    secrets = ContextValues().get("secrets") or {}
    if name in secrets:
        return secrets[name]
    return _looked_up(name)


class PrefectOneSecret:
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


class Secret:
    """A value that is not shown: `Secret.load("db-password").get()`, `Secret(value="...").save("db-password")`.

    In async code `load` and `save` are awaited; `aload` and `asave` always are.
    """

    def __init__(self, value: Any) -> None:
        if not is_idle():
            given.add(value)
        self._value = value

    def __repr__(self) -> str:
        return "Secret('**********')"

    def get(self) -> Any:
        """The value."""
        return self._value

    @classmethod
    def load(cls, name: str) -> Any:
        """The secret of that name. Raises `ValueError` where there is none."""
        return dual(lambda: cls(_found(name)))

    @classmethod
    async def aload(cls, name: str) -> Secret:
        """`load`, to be awaited."""
        return await aside(lambda: cls(_found(name)))

    def save(self, name: str, overwrite: bool = False) -> Any:
        """Keep it under this name; one that is there only with `overwrite`, else this raises `ValueError`."""
        return dual(lambda: _save(name, self._value, overwrite=overwrite))

    async def asave(self, name: str, overwrite: bool = False) -> str:
        """`save`, to be awaited."""
        return await aside(lambda: _save(name, self._value, overwrite=overwrite))


def variables_of(name: str) -> list[str]:
    """The variables of the environment in which a secret may stand, the first that is set counts."""
    shouted = re.sub(r"[^A-Za-z0-9_]", "_", name).upper()
    return [prefix + spelt for prefix in PREFIXES for spelt in dict.fromkeys((shouted, name))]


def _found(name: str) -> Any:
    if is_idle():
        from schedulerd.authoring.loading import placeholder

        return placeholder()
    check_name(name, what="secret")
    for variable in variables_of(name):
        if variable in os.environ:
            return os.environ[variable]
    return _looked_up(name)


def _looked_up(name: str) -> Any:
    """What the daemon, or the project, has under this name."""
    hint = f"`schedulerd secrets set {name}`, or {variables_of(name)[0]} in the environment"
    try:
        answer = ask("secret.get", name=check_name(name, what="secret"))
    except Refused as error:
        raise Refused(
            f"there is no secret {name!r} here: {error.message}", mend=f"{error.mend}; or set {hint}"
        ) from None
    if not answer["found"]:
        raise ValueError(f"there is no secret {name!r} here: set it by {hint}")
    given.add(answer["value"])
    return answer["value"]


def _save(name: str, value: Any, *, overwrite: bool) -> str:
    check_name(name, what="secret")
    if not is_idle():
        check_value(name, value, what="secret")
        given.add(value)
        answer = present_channel().ask(
            "secret.set", {"name": name, "overwrite": overwrite}, private=json.dumps(value)
        )
        if (error := answer.get("error")) is not None:
            raise Refused(str(error.get("message", "")), mend=str(error.get("mend", "")))
    return name


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
