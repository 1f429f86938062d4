"""Names that a person may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """At most three of `names` that look like `name`, whatever their letter case."""
    by_folded = {known.casefold(): known for known in names}
    return tuple(by_folded[match] for match in get_close_matches(name.casefold(), by_folded))
