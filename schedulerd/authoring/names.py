"""Are the right parameters given? By their names only; apart from their types, which are dear to know."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def require_names(flow: str, given: Iterable[str], *, known: Iterable[str], required: Iterable[str]) -> None:
    """Raise `BadParameters` (a `ValueError` too) unless all required names and only known ones are given."""
    given, known = list(given), list(known)
    wrong = []
    if missing := [name for name in required if name not in given]:
        wrong.append(f"missing {_named_list(missing)}")
    if unknown := [name for name in given if name not in known]:
        takes = f"it takes {_named_list(known)}" if known else "it takes none"
        wrong.append(f"unknown {_named_list(unknown)} ({takes})")
    if wrong:
        from schedulerd.authoring.refusals import ParametersRefused  # late: seldom needed

        raise ParametersRefused(f"flow {flow!r}: {'; '.join(wrong)}")


def _named_list(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
