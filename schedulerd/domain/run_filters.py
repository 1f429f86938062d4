"""How people write which runs they look for: `state:bad flow:etl* since:24h error:"KeyError" nightly`.

A term is `key:value`, or a word that is looked for in names of flows, parameters, reasons and errors. A value with spaces
stands in quotes, in which `\\"` is a quote. `state:failed,crashed` is either; different keys narrow each other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from schedulerd.domain.durations import parse_duration
from schedulerd.domain.moments import past_moment
from schedulerd.domain.near import near
from schedulerd.domain.run_queries import RunQuery
from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import GROUPS, RunState
from schedulerd.errors import BadExpression
from schedulerd.sentences import said

PARAMETER: Final = "param."
KEYS: Final = {
    "state": "a state, or active, waiting, bad, ok, neutral or done",
    "flow": "the name of a flow; * stands for anything",
    "tag": "a tag of the flow",
    "schedule": "the name of a schedule",
    "agent": "the agent that took the run",
    "trigger": "what asked for it: schedule, manual, crontab, after, file, webhook, flow",
    "since": "recorded then or later: 24h, today, 2026-11-01T09:00",
    "until": "recorded before",
    "dur": "how long it ran: >5m, <10s, 5m..1h",
    "error": "a text in the type or the first line of its error",
    "param.NAME": "the value of a parameter",
}
"""The keys, each with what its value is."""

_NAMES: Final = frozenset({"flow", "tag", "schedule", "agent"})
_MOST_TERMS: Final = 50
_LONGEST: Final = 2_000
_KEY: Final = re.compile(r'([^\s:",]+):')
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE: Final = re.compile(r'[^\s",]+')
_BARE_WORD: Final = re.compile(r'[^\s"]+')
_DURATION: Final = re.compile(r"(>=|<=|>|<)?\s*([^.<>=]+)(?:\.\.([^.<>=]+))?")
_STATES: Final[Mapping[str, frozenset[RunState]]] = {
    **{state.value: frozenset({state}) for state in RunState},
    **GROUPS,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A key with its values, or with no key a word; `start` and `end` are its place in `text`."""

    key: str
    values: tuple[str, ...]
    text: str
    start: int
    end: int

    def refused(self, reason: str, code: str) -> BadExpression:
        """The error that points at this term."""
        return BadExpression(
            reason, expression=self.text, start=self.start, end=self.end, code=f"filter.{code}"
        )


def term_text(key: str, value: str) -> str:
    """The term as text, in quotes where the value needs them."""
    if _BARE.fullmatch(value) and not value.startswith((">", "<")):
        return f"{key}:{value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}:"{escaped}"'


def parse_query(text: str, *, now: datetime, zone: tzinfo | None) -> RunQuery:
    """The runs that the text asks for; `zone` is that of times which name none. Raises `BadExpression` at the term."""
    return query_of(terms(text), now=now, zone=zone)


def term_of(key: str, value: str) -> Term:
    """The term of a key that has its own place, with its values as they are written after the colon.

    A name may stand as it is, whatever is in it; only one with a comma needs quotes, since that means either.
    """
    try:
        values, end = _values(value, 0)
    except BadExpression:
        if key not in _NAMES:
            raise
        values, end = [], 0
    if value and key in _NAMES and (end < len(value) or not all(values)):
        values, end = [value], len(value)
    if end < len(value) or not any(values):
        whole = Term(key=key, values=(), text=value, start=0, end=len(value))
        raise whole.refused(
            said("{key} needs a value, and one with spaces stands in quotes", key=key), "value"
        )
    return Term(key=key, values=tuple(values), text=value, start=0, end=len(value))


def query_of(found: Iterable[Term], *, now: datetime, zone: tzinfo | None) -> RunQuery:
    """The runs that all these terms are true of."""
    building = _Building(now=now, zone=zone)
    for number, term in enumerate(found):
        if number == _MOST_TERMS:
            raise term.refused(said("at most {most_terms} terms", most_terms=_MOST_TERMS), "length")
        building.take(term)
    return building.query()


def terms(text: str) -> Iterator[Term]:
    """The terms of a text, in order."""
    if len(text) > _LONGEST:
        raise BadExpression(
            said("at most {longest} characters", longest=_LONGEST),
            expression=text,
            start=_LONGEST,
            code="filter.length",
        )
    at = 0
    while (at := _after_space(text, at)) < len(text):
        term = _term(text, at)
        yield term
        at = term.end


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, start: int) -> Term:
    key = _KEY.match(text, start)
    if key is None:
        word, end = _word(text, start)
        found = Term(key="", values=(word,), text=text, start=start, end=end)
        if not word:
            raise found.refused(said("there is nothing in these quotes"), "value")
        return found
    values, end = _values(text, key.end())
    term = Term(key=key[1], values=tuple(values), text=text, start=start, end=end)
    if not all(values):
        raise term.refused(said("{key}: needs a value", key=key[1]), "value")
    return term


def _values(text: str, at: int) -> tuple[list[str], int]:
    """The values between commas from here on, and where they end."""
    values = []
    while True:
        value, at = _value(text, at)
        values.append(value)
        if at >= len(text) or text[at] != ",":
            return values, at
        at += 1


def _value(text: str, at: int) -> tuple[str, int]:
    return _pieces(text, at, _BARE)


def _word(text: str, at: int) -> tuple[str, int]:
    return _pieces(text, at, _BARE_WORD)


def _pieces(text: str, at: int, bare: re.Pattern[str]) -> tuple[str, int]:
    """Quoted and bare pieces that stand together are one text."""
    pieces = []
    while at < len(text):
        if (quoted := _QUOTED.match(text, at)) is not None:
            pieces.append(re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL))
            at = quoted.end()
        elif text[at] == '"':
            raise BadExpression(
                said("this quote is not closed"), expression=text, start=at, code="filter.quote"
            )
        elif (piece := bare.match(text, at)) is not None:
            pieces.append(piece[0])
            at = piece.end()
        else:
            break
    return "".join(pieces), at


@dataclass(kw_only=True)
class _Building:
    """A query while terms are taken."""

    now: datetime
    zone: tzinfo | None
    given: dict[str, Any] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    terms: list[str] = field(default_factory=list)

    def take(self, term: Term) -> None:
        """Narrow the query by this."""
        if term.key.startswith(PARAMETER) and len(term.key) > len(PARAMETER):
            self._add("parameters", [(term.key[len(PARAMETER) :], self._single(term))])
        else:
            self._reader(term)(term)
        self.terms.append(f"{term.key}:{','.join(term.values)}")

    def query(self) -> RunQuery:
        """What has been taken."""
        return RunQuery(**self.given, terms=tuple(self.terms))

    def _reader(self, term: Term) -> "Callable[[Term], None]":
        readers: Mapping[str, Callable[[Term], None]] = {
            "": lambda word: self._add("words", word.values),
            "state": self._take_states,
            "flow": lambda one: self._set(one, "flows", one.values),
            "tag": lambda one: self._add("tags", [self._single(one)]),
            "schedule": lambda one: self._set(one, "schedules", one.values),
            "agent": lambda one: self._set(one, "agents", one.values),
            "trigger": self._take_triggers,
            "since": lambda one: self._set(one, "since", self._moment(one)),
            "until": lambda one: self._set(one, "until", self._moment(one)),
            "dur": self._take_duration,
            "error": lambda one: self._add("errors", [self._single(one)]),
        }
        reader = readers.get(term.key)
        if reader is None:
            close = near(term.key, KEYS) or tuple(KEYS)
            raise term.refused(
                said(
                    "there is no key {key!r}; did you mean {listed}? A text with a colon in it stands in quotes",
                    key=term.key,
                    listed=", ".join(close),
                ),
                "key",
            )
        return reader

    def _add(self, name: str, more: Iterable[Any]) -> None:
        self.given[name] = (*self.given.get(name, ()), *more)

    def _set(self, term: Term, name: str, value: Any) -> None:
        if term.key in self.seen:
            raise term.refused(
                said("{key}: stands here twice; write {key}:one,other for either", key=term.key), "twice"
            )
        self.seen.add(term.key)
        self.given[name] = value

    def _single(self, term: Term) -> str:
        if len(term.values) > 1:
            raise term.refused(
                said("{key}: takes one value; one with a comma in it stands in quotes", key=term.key), "value"
            )
        return term.values[0]

    def _take_states(self, term: Term) -> None:
        states = (_named(term, _STATES, value, "state") for value in term.values)
        self._set(term, "states", frozenset().union(*states))

    def _take_triggers(self, term: Term) -> None:
        known = {trigger.value: trigger for trigger in Trigger}
        self._set(term, "triggers", frozenset(_named(term, known, one, "trigger") for one in term.values))

    def _moment(self, term: Term) -> datetime:
        value = self._single(term)
        try:
            return past_moment(value, now=self.now, zone=self.zone)
        except BadExpression as error:
            raise term.refused(error.reason, "time") from error
        except OverflowError as error:
            raise term.refused(str(error), "time") from error

    def _take_duration(self, term: Term) -> None:
        form = _DURATION.fullmatch(self._single(term).strip())
        if form is None or (form[1] and form[3]):
            raise term.refused(said("dur: is written like >5m, <10s or 5m..1h"), "dur")
        first = self._length(term, form[2])
        if form[3]:
            bounds = {"at_least": first, "at_most": self._length(term, form[3])}
        else:
            bounds = {"at_most" if (form[1] or ">").startswith("<") else "at_least": first}
        self._set(term, "at_least", bounds.get("at_least"))
        self.given["at_most"] = bounds.get("at_most")

    def _length(self, term: Term, text: str) -> timedelta:
        try:
            return parse_duration(text)
        except BadExpression as error:
            raise term.refused(error.reason, "dur") from error


def _named(term: Term, known: Mapping[str, Any], name: str, kind: str) -> Any:
    found = known.get(name.lower())
    if found is None:
        close = near(name, known) or tuple(known)
        raise term.refused(
            said(
                "there is no {kind} {name!r}; did you mean {listed}?",
                kind=said(kind),
                name=name,
                listed=", ".join(close),
            ),
            kind,
        )
    return found
