"""What a mistyped name was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

from schedulerd.sentences import Sentence, said


def near_names(name: str, known: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """The known names that look like `name`, the nearest first; letter case does not count."""
    by_folded = {one.casefold(): one for one in known}
    return tuple(by_folded[one] for one in get_close_matches(name.casefold(), by_folded, n=limit))


def did_you_mean(name: str, known: Iterable[str]) -> Sentence:
    """A clause to put after "unknown name": the nearest known name, or all of them when none is near."""
    known = tuple(known)
    near = near_names(name, known, limit=1)
    if near:
        return said("did you mean {name!r}?", name=near[0])
    return said("known are: {listed}", listed=", ".join(known))
