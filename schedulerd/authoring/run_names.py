"""Names of runs from templates: `"extract {region}"`, or a function."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

LONGEST: Final = 200


def name_of_run(
    template: str | Callable[..., Any] | None,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    otherwise: str,
) -> str:
    """The name by a template, which is filled with the arguments, or by a function, which takes none or `parameters`.

    A template that does not fit gives `otherwise`: a name is not worth a failed run.
    """
    try:
        if callable(template):
            takes = signature(template).parameters
            made = template(arguments_of(fn, args, kwargs)) if takes else template()
        else:
            made = str(template).format(**arguments_of(fn, args, kwargs))
    except Exception:  # border: it formats values of the user's, which may raise anything
        return otherwise
    return str(made)[:LONGEST] or otherwise


def arguments_of(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names, those left out by their defaults; raises `TypeError` when they do not fit."""
    bound = signature(fn).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)
