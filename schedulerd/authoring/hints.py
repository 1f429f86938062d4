"""What plain type hints mean for JSON: the schema of a hint, and values made to fit it.

Strings, numbers, booleans, lists, dicts, dates, unions and literals. What other hints mean is in `rich_hints.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})


class Misfit(Exception):
    """A value does not fit its hint; `place` is where inside the parameter it stands, such as `[2]`."""

    def __init__(self, value: Any, wanted: str, place: str = "") -> None:
        super().__init__(f"{value!r} is not {wanted}")
        self.value = value
        self.wanted = wanted
        self.place = place

    def within(self, key: object) -> Misfit:
        """The same, seen from the list or dict around it."""
        return Misfit(self.value, self.wanted, f"[{key!r}]{self.place}")


def is_plain(hint: Any) -> bool:
    """Is all of it known here? Also of a hint that asks for nothing."""
    if hint is None or hint is Any:
        return True
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return all(isinstance(said, str) for said in hint.__metadata__) and is_plain(hint.__origin__)
    if origin is Literal:
        return all(type(option) in _OPTIONS for option in args)
    if args:
        return origin in _WITH_PARTS and all(map(is_plain, args))
    return _plain(hint) in _COERCIONS


def schema_of_hint(hint: Any) -> dict[str, Any]:
    """The JSON schema of a type hint; `{}` for one that asks for nothing."""
    hint = _bare(hint)
    if (plain := _plain(hint)) is not None:
        return dict(_SCHEMAS.get(plain, {}))
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of_hint(arg) for arg in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is list:
        return {"type": "array", "items": schema_of_hint(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of_hint(args[1])}
    return {}


def coerce(hint: Any, value: Any) -> Any:
    """The value as the hint asks for it; raises `Misfit`."""
    hint = _bare(hint)
    if (plain := _plain(hint)) is not None:
        return _COERCIONS[plain](value) if plain in _COERCIONS else value
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_of(args, value)
    if origin is Literal:
        return _literal(args, value)
    if origin is list:
        return [_part(args[0], number, part) for number, part in enumerate(_list(value))]
    if origin is dict:
        return {_part(args[0], key, key): _part(args[1], key, part) for key, part in _dict(value).items()}
    return value


def _bare(hint: Any) -> Any:
    """The hint without what `Annotated` adds to it."""
    return _bare(hint.__origin__) if get_origin(hint) is Annotated else hint


def _plain(hint: Any) -> type | None:
    """The class that a hint without arguments names: `list` for both `list` and `typing.List`."""
    if isinstance(hint, type) and not get_args(hint):
        return hint
    return None if get_args(hint) else get_origin(hint)


def _part(hint: Any, key: object, value: Any) -> Any:
    try:
        return coerce(hint, value)
    except Misfit as error:
        raise error.within(key) from None


def _one_of(hints: tuple[Any, ...], value: Any) -> Any:
    """The first member that takes the value as it is, else the first that it can be made to fit."""
    fitting: list[Any] = []
    wanted: list[str] = []
    for hint in hints:
        try:
            fitting.append(coerce(hint, value))
        except Misfit as error:
            wanted.append(error.wanted)
    if not fitting:
        raise Misfit(value, " or ".join(wanted))
    return next((made for made in fitting if made is value), fitting[0])


def _literal(options: tuple[Any, ...], value: Any) -> Any:
    for option in options:
        if option == value and type(option) is type(value):
            return option
    raise Misfit(value, f"one of {', '.join(map(repr, options))}")


def _str(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise Misfit(value, "a text")


def _int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        if isinstance(value, str) or (isinstance(value, float) and value.is_integer()):
            return int(value)
    except ValueError:
        pass
    raise Misfit(value, "a whole number")


def _float(value: Any) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return value if isinstance(value, float) else float(value)
    except (ValueError, OverflowError):
        pass
    raise Misfit(value, "a number")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, str | int) else ""
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise Misfit(value, "true or false")


def _none(value: Any) -> None:
    if value is not None:
        raise Misfit(value, "null")


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, tuple):
        return list(value)
    raise Misfit(value, "a list")


def _dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    raise Misfit(value, "an object")


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise Misfit(value, "a date such as 2026-12-31")


def _datetime(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise Misfit(value, "a moment such as 2026-12-31T06:00:00+09:00")


_OPTIONS: Final = (str, int, bool, NoneType)
_WITH_PARTS: Final = (Union, UnionType, list, dict)
_SCHEMAS: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    list: {"type": "array"},
    dict: {"type": "object"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    NoneType: {"type": "null"},
}
_COERCIONS: Final[Mapping[Any, Callable[[Any], Any]]] = {
    str: _str,
    int: _int,
    float: _float,
    bool: _bool,
    list: _list,
    dict: _dict,
    date: _date,
    datetime: _datetime,
    NoneType: _none,
}
