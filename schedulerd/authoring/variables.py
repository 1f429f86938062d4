"""Variables: values that flows share, by name, and that people see and set. They are JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schedulerd.authoring.asking import ask, is_idle
from schedulerd.authoring.dual import aside, dual
from schedulerd.authoring.refusals import Refused
from schedulerd.domain.variables import check_name, check_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MISSING: Final[Any] = object()
"""As a default: so that it can be told whether there is a variable."""


class Variable:
    """A variable by its name: `Variable.get("bucket")`. In async code each of these is awaited."""

    def __init__(self, name: str, value: Any, tags: Sequence[str] = ()) -> None:
        self.name = name
        self.value = value
        self.tags = list(tags)

    def __repr__(self) -> str:
        return f"Variable({self.name!r}, {self.value!r})"

    @classmethod
    def get(cls, name: str, default: Any = None) -> Any:
        """The value of the variable; the default where there is none of that name."""
        return dual(lambda: value_of(name, default))

    @classmethod
    async def aget(cls, name: str, default: Any = None) -> Any:
        """`get`, to be awaited."""
        return await aside(lambda: value_of(name, default))

    @classmethod
    def set(cls, name: str, value: Any, tags: Sequence[str] | None = None, overwrite: bool = False) -> Any:
        """Set it; one that is there only with `overwrite`, else this raises `ValueError`."""
        return dual(lambda: save(name, value, tags or (), overwrite=overwrite))

    @classmethod
    async def aset(
        cls, name: str, value: Any, tags: Sequence[str] | None = None, overwrite: bool = False
    ) -> Variable:
        """`set`, to be awaited."""
        return await aside(lambda: save(name, value, tags or (), overwrite=overwrite))

    @classmethod
    def unset(cls, name: str) -> Any:
        """Remove it; False where there is none of that name."""
        return dual(lambda: removed(name))

    @classmethod
    async def aunset(cls, name: str) -> bool:
        """`unset`, to be awaited."""
        return await aside(lambda: removed(name))


def get(name: str, default: Any = None) -> Any:
    """The value of a variable; the default where there is none of that name. Prefect 2's spelling of `Variable.get`."""
    return dual(lambda: value_of(name, default))


def value_of(name: str, default: Any) -> Any:
    """The value of the variable, or the default; while a file is only looked at, what tolerates being used."""
    if is_idle():
        from schedulerd.authoring.loading import placeholder

        return placeholder() if default is None or default is MISSING else default
    try:
        answer = ask("variable.get", name=check_name(name))
    except Refused as error:
        if error.kind == "nowhere" and default is not None and default is not MISSING:
            return default
        raise
    return answer["value"] if answer["found"] else default


def removed(name: str) -> bool:
    """Remove the variable; False where there is none of that name."""
    return not is_idle() and bool(ask("variable.unset", name=check_name(name))["removed"])


def save(name: str, value: Any, tags: Sequence[str], *, overwrite: bool) -> Variable:
    """Set the variable; one that is there only with `overwrite`, else this raises `ValueError`."""
    check_value(check_name(name), value)
    if not is_idle():
        ask("variable.set", name=name, value=value, tags=[str(tag) for tag in tags], overwrite=overwrite)
    return Variable(name, value, tags)


# -- Prefect 1's key-value store ------------------------------------------------------------------------------------


def get_key_value(key: str) -> Any:
    """The value of a key. Raises `ValueError` where there is none."""
    value = value_of(key, MISSING)
    if value is MISSING:
        raise ValueError(
            f"no value is set for the key {key!r}: `schedulerd variables list` shows what there is"
        )
    return value


def set_key_value(key: str, value: Any) -> str:
    """Set the value of a key, new or not; the key."""
    return save(key, value, (), overwrite=True).name


def delete_key(key: str) -> bool:
    """Remove a key. Raises `ValueError` where there is none."""
    if not is_idle() and not removed(key):
        raise ValueError(f"no value is set for the key {key!r}: there is nothing to delete")
    return True


def list_keys() -> list[str]:
    """All keys."""
    return [] if is_idle() else list(ask("variable.list")["names"])
