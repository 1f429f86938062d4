"""What there is to say of flow files that cannot be loaded, to somebody who asks for a flow that is not there."""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from schedulerd.domain.failures import Failure
from schedulerd.sentences import joined, said

_MOST_TOLD: Final = 3


def why_not_loaded(file: str, failure: Failure) -> str:
    """The place and the reason, in one line."""
    place = failure.file or file
    place = f"{place}:{failure.line}" if failure.line else place
    return f"{place}: {reason_of(failure)}"


def reason_of(failure: Failure) -> str:
    """The first line of what is wrong, with the kind of the exception where the words are not ours."""
    first = next(iter(failure.message.splitlines()), "")
    if failure.type.startswith("Bad"):  # our own words
        return first
    return f"{failure.type}: {first}" if first else failure.type


def where_it_may_be(broken: Iterable[tuple[str, Failure]]) -> str:
    """That one of these flow files may define what is looked for, and what is wrong with each; empty without any."""
    told = [why_not_loaded(file, failure) for file, failure in broken if file.endswith(".py")]
    if not told:
        return ""
    left = len(told) - _MOST_TOLD
    more = [said("and in {count} more", count=left)] if left > 0 else []
    first = said("it may be in a file that cannot be loaded:")
    return joined("\n", [first, *islice(told, _MOST_TOLD), *more])
