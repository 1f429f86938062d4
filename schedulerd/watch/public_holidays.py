"""Public holidays of countries and their parts, from the `holidays` library. The only door to it."""

import warnings
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

from schedulerd.domain.blackout_values import FIRST_YEAR, LAST_YEAR
from schedulerd.domain.entries import BadEntry
from schedulerd.domain.names import near_names

_HOW: Final = "a country is named by its code, as in KR, and a part of it as in DE-BY"


@lru_cache(maxsize=64)
def public_holidays(code: str) -> tuple[date, ...]:
    """The public holidays of `KR` or `DE-BY`, ascending; `BadEntry` for a place that is not known.

    Where a holiday is announced from year to year, or reckoned by the moon, later years are an estimate, or missing.
    """
    import holidays  # slow

    country, _, part = code.partition("-")
    if country not in holidays.registry.EntityLoader.get_country_codes():
        raise _unknown_country(country, holidays.registry.COUNTRIES)
    place = getattr(holidays, country)
    if part and part not in (known := (*place.subdivisions, *place.subdivisions_aliases)):
        raise _unknown_part(country, part, place.subdivisions, known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of years that a calendar does not know yet
        found = place(subdiv=part or None, years=range(FIRST_YEAR, LAST_YEAR + 1), categories=("public",))
    return tuple(sorted(found))


def _unknown_country(code: str, countries: Mapping[str, Any]) -> BadEntry:
    codes = {word: names[1] for names in countries.values() for word in names}
    near = dict.fromkeys(codes[word] for word in near_names(code, codes))
    hint = f"did you mean {' or '.join(near)}?" if near else _HOW
    return BadEntry(f"no holidays are known of a country {code!r}; {hint}")


def _unknown_part(country: str, part: str, parts: tuple[str, ...], known: tuple[str, ...]) -> BadEntry:
    if not parts:
        return BadEntry(f"{country} has no parts with holidays of their own; write {country}")
    near = near_names(part, known, limit=1)
    hint = f"did you mean {country}-{near[0]}? " if near else ""
    return BadEntry(f"{country} has no part {part!r}; {hint}it has {', '.join(parts)}")
