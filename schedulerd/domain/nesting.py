"""How deep a value that is JSON may be: what is deeper could be kept, and then not be shown. Pure."""

from collections.abc import Iterable
from typing import Any, Final

from schedulerd.sentences import said

DEEPEST: Final = 100
"""So many lists and objects may lie within one another."""

TOO_DEEP: Final = said("has more than {deepest} lists and objects within one another", deepest=DEEPEST)


def is_too_deep(value: Any) -> bool:
    """Is there more within more in it than there may be?"""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _within(one) if isinstance(inner, dict | list | tuple)]
        if not level:
            return False
    return True


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()
