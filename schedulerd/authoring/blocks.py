"""Blocks of plain values: variables, under the names that Prefect 2 and 3 have for their kinds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from schedulerd.authoring.asking import is_idle
from schedulerd.authoring.dual import aside, dual
from schedulerd.authoring.variables import MISSING, save, value_of
from schedulerd.domain.variables import check_value

if TYPE_CHECKING:
    from typing import Any, ClassVar

T = TypeVar("T")


class Block(Generic[T]):
    """A value of one kind under a name: `String.load("bucket").value`, `String(value="s3://data").save("bucket")`.

    In async code `load` and `save` are awaited; `aload` and `asave` always are.
    """

    kind: ClassVar[str]

    def __init__(self, value: T) -> None:
        self._kept = self._as_json(value)
        self.value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.value == other.value

    def __hash__(self) -> int:
        return hash(str(self._kept))

    @classmethod
    def load(cls, name: str) -> Any:
        """The block of that name. Raises `ValueError` where there is none, and where it is of another kind."""
        return dual(lambda: cls._load(name))

    @classmethod
    async def aload(cls, name: str) -> Self:
        """`load`, to be awaited."""
        return await aside(lambda: cls._load(name))

    def save(self, name: str, overwrite: bool = False) -> Any:
        """Keep it as the variable of this name; one that is there only with `overwrite`, else this raises `ValueError`."""
        return dual(lambda: save(name, self._kept, (), overwrite=overwrite).name)

    async def asave(self, name: str, overwrite: bool = False) -> str:
        """`save`, to be awaited."""
        return await aside(lambda: save(name, self._kept, (), overwrite=overwrite).name)

    @classmethod
    def _load(cls, name: str) -> Self:
        found = value_of(name, MISSING)
        if found is MISSING:
            raise ValueError(
                f"there is no {cls.__name__} {name!r}: `schedulerd variables set {name} ...` sets it, and "
                "`schedulerd variables list` shows what there is"
            )
        if is_idle():
            made = cls.__new__(cls)
            made._kept = made.value = found
            return made
        try:
            return cls(cls._from_json(found))
        except (TypeError, ValueError):
            raise ValueError(
                f"the variable {name!r} is no {cls.__name__}, which is {cls.kind}: it is {found!r:.100}"
            ) from None

    @staticmethod
    def _as_json(value: T) -> Any:
        """The value as a variable has it. Raises `TypeError` and `ValueError` for one of another kind."""
        raise NotImplementedError

    @staticmethod
    def _from_json(found: Any) -> T:
        """The value of a variable that has this."""
        value: T = found
        return value


class JSON(Block["Any"]):
    """Anything that JSON knows."""

    kind = "JSON"

    @staticmethod
    def _as_json(value: Any) -> Any:
        return check_value("JSON", value, what="block")


class String(Block[str]):
    """A text."""

    kind = "a text"

    @staticmethod
    def _as_json(value: str) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"a String is a text, not {value!r:.100}")
        return value


class DateTime(Block[datetime]):
    """A moment, with its time zone."""

    kind = "a moment with a time zone, such as 2026-11-27T08:00:00+00:00"

    @staticmethod
    def _as_json(value: datetime) -> Any:
        if not isinstance(value, datetime):
            raise TypeError(f"a DateTime is a datetime, not {value!r:.100}")
        if value.utcoffset() is None:
            raise ValueError("a DateTime needs a time zone: datetime.now(timezone.utc), say")
        return value.isoformat()

    @staticmethod
    def _from_json(found: Any) -> datetime:
        return datetime.fromisoformat(found)
