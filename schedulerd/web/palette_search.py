"""From what is typed into the palette to what may be meant by it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.likeness import Likeness, Typed, typed
from schedulerd.domain.run_filters import term_text
from schedulerd.domain.runs import Run
from schedulerd.errors import Ambiguous, BadExpression, NotFound
from schedulerd.operations.explaining import Explanation, explain
from schedulerd.operations.operations import Operations
from schedulerd.operations.palette import Known
from schedulerd.web import palette_choices as choices
from schedulerd.web.numbers import MOST
from schedulerd.web.palette import MOST_IN_GROUP, Choice, Group, group, in_order, without_likeness
from schedulerd.web.palette_choices import Translate
from schedulerd.web.preferences import Preferences
from schedulerd.web.words import N_

_FIRES: Final = 5
_LEAST_OF_ZONE: Final = 2
# A cron expression of 5 to 7 fields, or one of its short names: what is one and wrong is told why.
_CRON: Final = re.compile(
    r"[0-9*?]\S*(?:\s+\S+){4,6}|@(?:hourly|daily|midnight|weekly|monthly|yearly|annually|reboot)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """What may be meant; and of an expression what it says, or why it is none."""

    groups: tuple[Group, ...]
    said: Explanation | None = None
    trouble: BadExpression | None = None

    @property
    def count(self) -> int:
        """How many choices there are."""
        return sum(len(one.choices) for one in self.groups)


@dataclass(frozen=True, kw_only=True, slots=True)
class PaletteSearch:
    """A search for one reader."""

    operations: Operations
    clock: Clock
    who: Principal
    preferences: Preferences
    translate: Translate

    def meant(self, text: str) -> Meant:
        """What may be meant by the text. It begins with `>` for what can be done, `#` for runs, `@` for agents, `/` for pages."""
        text = text.strip()
        kind, rest = text[:1], text[1:]
        if _CRON.fullmatch(text):
            return self._explained(text)
        if kind == choices.ACTIONS:
            return self._groups(self._actions(typed(rest)))
        if kind == choices.RUNS:
            return self._groups([self._runs(rest.strip())])
        if kind == choices.AGENTS:
            return self._groups([self._agents(self.operations.palette.known(), typed(rest))])
        if kind == choices.PAGES:
            return self._groups([self._pages(typed(rest))])
        return self._groups(self._anything(text) if text else [self._pages(typed(""), limit=100)])

    def _groups(self, groups: list[Group]) -> Meant:
        return Meant(groups=tuple(one for one in groups if one.choices))

    def _anything(self, text: str) -> list[Group]:
        words, known = typed(text), self.operations.palette.known()
        found = [
            self._group(N_("Flows"), choices.flows(known), words),
            self._group(N_("Schedules"), choices.schedules(known, self.translate), words),
            self._pages(words),
            self._group(
                N_("Actions"),
                [*choices.actions(known, self.who, self.translate), *self._general()],
                words,
            ),
            self._agents(known, words),
        ]
        if "#" in text:
            found.insert(0, self._runs(text))
        return [*in_order(found), self._plain(N_("Runs"), [choices.searching(text, self.translate)])]

    def _actions(self, words: Typed) -> list[Group]:
        known = self.operations.palette.known()
        of_names = choices.actions(known, self.who, self.translate) if words.words else ()
        going = self._newest("state:active") if words.words and self.who.may(Role.OPERATOR) else ()
        found = [*self._general(), *of_names, *choices.cancelling(going, self.translate)]
        groups = [self._group(N_("Actions"), found, words, limit=2 * MOST_IN_GROUP)]
        if len(words.text) >= _LEAST_OF_ZONE:
            zones = choices.zones(self.preferences, self.translate)
            groups.append(self._group(N_("Time zone"), zones, words))
        return in_order(groups)

    def _general(self) -> list[Choice]:
        """What can be done without a name, or begins with one to come."""
        found = [
            *choices.beginnings(self.who, self.translate),
            *choices.appearance(self.preferences, self.translate),
        ]
        bad = self._newest("state:bad", limit=1)
        return [choices.failing(bad[0], self.translate), *found] if bad else found

    def _pages(self, words: Typed, limit: int = MOST_IN_GROUP) -> Group:
        return self._group(N_("Pages"), choices.pages(self.who, self.translate), words, limit=limit)

    def _agents(self, known: Known, words: Typed) -> Group:
        found = choices.agents(known.agents, self.translate, now=self.clock.now())
        return self._group(N_("Agents"), found, words)

    def _runs(self, text: str) -> Group:
        """By a number alone, by flow and number, by an id; else the newest of the likeliest flow, or of all."""
        return self._plain(N_("Runs"), choices.runs(self._found(text), self.translate))

    def _found(self, text: str) -> tuple[Run, ...]:
        number = text.removeprefix("#")
        if number.isascii() and number.isdecimal():
            return self.operations.palette.numbered(min(int(number), MOST), limit=MOST_IN_GROUP)
        if not text:
            return self._newest("")
        try:
            found = self.operations.runs.get(re.sub(r"\s+#?(?=\d+$)", "#", text))
            return (found,) if isinstance(found, Run) else (found.root,)
        except (NotFound, Ambiguous):
            return self._of_likeliest(typed(text))

    def _of_likeliest(self, words: Typed) -> tuple[Run, ...]:
        judged = [(words.likeness(name), name) for name in self.operations.palette.known().flows]
        likeness, name = min(judged, default=(Likeness.NONE, ""))
        return () if likeness is Likeness.NONE else self._newest(term_text("flow", name))

    def _newest(self, filtered: str, *, limit: int = MOST_IN_GROUP) -> tuple[Run, ...]:
        history = self.operations.history
        return history.page(history.query(filtered, zone=None), limit=limit).runs

    def _explained(self, text: str) -> Meant:
        timezone = self.preferences.zone.key
        try:
            said = explain(
                text,
                timezone=timezone,
                after=self.clock.now(),
                limit=_FIRES,
                language=self.preferences.language,
            )
        except BadExpression as error:
            return Meant(groups=(), trouble=error)
        if not self.who.may(Role.OPERATOR):
            return Meant(groups=(), said=said)
        choice = choices.scheduling(text, timezone, self.translate)
        return Meant(groups=(self._plain(N_("Actions"), [choice]),), said=said)

    def _group(
        self, heading: str, found: Iterable[Choice], words: Typed, *, limit: int = MOST_IN_GROUP
    ) -> Group:
        return group(self.translate(heading), found, words, limit=limit)

    def _plain(self, heading: str, found: list[Choice]) -> Group:
        return without_likeness(self.translate(heading), found)
