"""What needs somebody's attention, the gravest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from schedulerd.domain.error_kinds import ErrorKey, error_kind
from schedulerd.domain.failures import Failure
from schedulerd.domain.runs import Run
from schedulerd.domain.states import BAD, ENDED
from schedulerd.store.strips import Mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Failing:
    """A flow that fails: its newest run that did, and how many in a row since the first of them, as far as was looked."""

    flow: str
    newest: Mark
    first: Mark
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Failures:
    """Runs of one flow that failed in the same way: the newest, how many, and since when."""

    newest: Run
    count: int
    since: datetime


def failing(strips: Mapping[str, Sequence[Mark]]) -> list[Failing]:
    """The flows of which the last run that ended did so badly, the newest first. `strips` are their last runs, in order."""
    found = []
    for flow, marks in strips.items():
        ended = [mark for mark in marks if mark.state in ENDED]
        bad = list(takewhile(lambda mark: mark.state in BAD, reversed(ended)))
        if bad:
            found.append(Failing(flow=flow, newest=bad[0], first=bad[-1], count=len(bad)))
    return sorted(found, key=lambda one: one.newest.key, reverse=True)


def grouped(runs: Sequence[Run]) -> list[Failures]:
    """Failures that are alike together; numbers and addresses in their messages do not tell them apart."""
    groups: dict[tuple[str, ErrorKey], list[Run]] = {}
    for run in runs:
        groups.setdefault(_fingerprint(run), []).append(run)
    return [Failures(newest=same[0], count=len(same), since=same[-1].created_at) for same in groups.values()]


def _fingerprint(run: Run) -> tuple[str, ErrorKey]:
    failure = run.failure or Failure(type=run.state.value, message=run.reason)
    return run.flow, error_kind(failure).key
