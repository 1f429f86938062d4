"""What can be chosen in the palette, and what of it is like what was typed. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.likeness import Likeness, Typed

MOST_IN_GROUP: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One thing that can be meant: `href` is where it leads; or `fill` what typing goes on with; or `sets` what it sets of the appearance.

    `also` are words by which it is found beside its title.
    """

    title: str
    href: str = ""
    fill: str = ""
    sets: tuple[str, str] | None = None
    note: str = ""
    icon: str = "link"
    also: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Choices of one kind, the likeliest first."""

    heading: str
    choices: Sequence[Choice]
    likeness: Likeness = Likeness.NONE


def group(heading: str, choices: Iterable[Choice], typed: Typed, *, limit: int = MOST_IN_GROUP) -> Group:
    """Those that are like what was typed."""
    judged = [(_likeness(one, typed), one) for one in choices]
    alike = sorted((one for one in judged if one[0] is not Likeness.NONE), key=lambda one: one[0])
    return Group(
        heading=heading,
        choices=[choice for _, choice in alike[:limit]],
        likeness=alike[0][0] if alike else Likeness.NONE,
    )


def in_order(groups: Iterable[Group]) -> list[Group]:
    """Those that have choices; the group with the likeliest one first, else as they come."""
    return sorted((one for one in groups if one.choices), key=lambda one: one.likeness)


def without_likeness(heading: str, choices: Sequence[Choice]) -> Group:
    """Choices that were found otherwise, in the order in which they come."""
    return Group(heading=heading, choices=choices[:MOST_IN_GROUP], likeness=Likeness.SAME)


def _likeness(choice: Choice, typed: Typed) -> Likeness:
    found = typed.likeness(choice.title)
    if found is Likeness.NONE and choice.also not in ("", choice.title):
        found = typed.likeness(f"{choice.title} {choice.also}")
        return found if found is Likeness.NONE else max(found, Likeness.WORD_BEGINS)
    return found
