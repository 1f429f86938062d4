"""How settings are declared, and read: each names what makes its value of what was written, and says what is wrong with it.

No library does it: one that reads whatever there is takes longer to load than all else of a short command (decision 72).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Final, TypeVar, cast

from schedulerd.domain.names import did_you_mean

T = TypeVar("T")
Path = tuple[str | int, ...]
Read = Callable[[object], T]
"""Makes the value of what was written in TOML, or in a variable as text. Raises `ValueError`, or `BadValue` for a part of it."""

_SETTING: Final = "setting"
_A_TABLE: Final = "must be a table"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What is known of one. `section` is the class of a table of settings, and of each in an array of tables (`is_list`)."""

    read: Read[Any]
    default: Any
    description: str
    section: type | None = None
    is_list: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """One thing that is wrong; `path` leads to it. `names` are those that a table would have of which only a value was written."""

    reason: str
    path: Path = ()
    names: tuple[str, ...] = ()


class BadValue(Exception):
    """All that is wrong with what was written."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits: Final = tuple(misfits)
        super().__init__("; ".join(one.reason for one in self.misfits))


def setting(read: Read[T], *, default: T, description: str, is_secret: bool = False) -> T:
    """A field of a class of settings. One that is secret is shown nowhere."""
    about = Setting(read=read, default=default, description=description)
    return cast("T", _field(about, is_secret=is_secret))


def section(kind: type[T], *, description: str) -> T:
    """A field for a table of settings."""
    return cast("T", _field(Setting(read=table(kind), default=kind(), description=description, section=kind)))


def sections(read: Read[tuple[T, ...]], kind: type[T], *, description: str) -> tuple[T, ...]:
    """A field for an array of tables."""
    about = Setting(read=read, default=(), description=description, section=kind, is_list=True)
    return cast("tuple[T, ...]", _field(about))


def settings_of(kind: type) -> Mapping[str, Setting]:
    """The settings of a class, by name."""
    return {one.name: one.metadata[_SETTING] for one in fields(kind)}


def table(kind: type[T]) -> Read[T]:
    """Reads a table of settings, which has no keys but theirs."""

    def read(value: object) -> T:
        known = settings_of(kind)
        if not isinstance(value, dict):
            raise BadValue([Misfit(reason=_A_TABLE, names=tuple(known))])
        unknown = partial(_unknown, known)
        parts = [(name, known[name].read, value[name]) for name in known if name in value]
        parts += [(name, partial(unknown, name), value[name]) for name in value if name not in known]
        return kind(**_all(parts))

    return read


def each(read: Read[T], *, least: int = 0) -> Read[tuple[T, ...]]:
    """Reads a list of at least so many."""

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError('must be a list, such as ["one", "two"]')
        if len(value) < least:
            raise ValueError("must not be empty")
        return tuple(_all((place, read, one) for place, one in enumerate(value)).values())

    return read_list


def by_name(check: Callable[[str], object], read: Read[T]) -> Read[dict[str, T]]:
    """Reads a table with names of one's own, which `check` refuses with `ValueError`."""

    def read_one(name: str, value: object) -> T:
        check(name)
        return read(value)

    def read_table(value: object) -> dict[str, T]:
        if not isinstance(value, dict):
            raise ValueError(f"{_A_TABLE}, such as {{ database = 2 }}")
        return _all((name, partial(read_one, name), one) for name, one in value.items())

    return read_table


def _all(parts: Iterable[tuple[Any, Read[T], object]]) -> dict[Any, T]:
    """What each part is, by its place; or `BadValue` with what is wrong with any."""
    found, misfits = {}, list[Misfit]()
    for place, read, value in parts:
        try:
            found[place] = read(value)
        except (BadValue, ValueError) as error:
            misfits += (replace(one, path=(place, *one.path)) for one in _misfits(error))
    if misfits:
        raise BadValue(misfits)
    return found


def _misfits(error: Exception) -> Iterator[Misfit]:
    yield from error.misfits if isinstance(error, BadValue) else (Misfit(reason=str(error)),)


def _unknown(known: Iterable[str], name: str, _: object) -> None:
    raise ValueError(f"is not a setting; {did_you_mean(name, list(known))}")


def _field(about: Setting, *, is_secret: bool = False) -> Any:
    default, metadata = about.default, {_SETTING: about}
    if isinstance(default, dict):
        return field(default_factory=default.copy, repr=not is_secret, metadata=metadata)
    return field(default=default, repr=not is_secret, metadata=metadata)
