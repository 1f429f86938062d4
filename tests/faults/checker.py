"""Looks for a lie: compares what schedulerd remembers with what its runs say they did. Pure.

What is excused, and by what, stands here and nowhere else: a run may have crashed when it was killed, or when the disk
was full; a line may be missing when its run was killed in the midst of it, or when the disk was full just then.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schedulerd.domain.due import Due
from schedulerd.domain.logs import Stream
from schedulerd.domain.runs import Run, SkipReason
from schedulerd.domain.schedules import Overlap, Schedule
from schedulerd.domain.states import FINAL, RunState
from schedulerd.domain.timing import Timing
from tests.faults.effects import Effect, Process, Spoken
from tests.faults.history import Faults, History, Remembered, microseconds_of
from tests.faults.hook_checks import OF_HOOKS, check_hooks
from tests.faults.lies import Lie, Violation

_A_SECOND: Final = 1_000_000
_BEHIND: Final = timedelta(seconds=5)
_OVERTIME_SECONDS: Final = 5.0


def check(history: History) -> list[Violation]:
    """All that is not true in this history."""
    return [*_schedules(history), *_effects(history), *_runs(history), *_rest(history)]


# -- due times --------------------------------------------------------------------------------------------------


def due_times(schedule: Schedule) -> list[Due]:
    """Every due time of a schedule that has been decided, by the rules alone."""
    return list(Timing.of(schedule).each(schedule.first_seen, schedule.watermark))


def _schedules(history: History) -> Iterator[Violation]:
    rows: dict[str, list[Remembered]] = {}
    for one in history.runs:
        if one.run.schedule is not None:
            rows.setdefault(one.run.schedule, []).append(one)
    for schedule in history.schedules:
        yield from _schedule(schedule, rows.get(schedule.definition.name, []))


def _schedule(schedule: Schedule, rows: Sequence[Remembered]) -> Iterator[Violation]:
    due = due_times(schedule)
    singles = [one for one in rows if _SPAN not in one.run.reason]
    accounted = Counter(str(one.run.slot) for one in singles)
    for span in (one.run.reason for one in rows if _SPAN in one.run.reason):
        covered = _covered(span, due, taken=accounted)
        if len(covered) != int(span.split()[1]):
            yield _about(schedule, Lie.LOST, f"{span}; but it covers {len(covered)}")
        accounted.update(covered)
    for slot in {one.slot for one in due} - set(accounted):
        yield _about(schedule, Lie.LOST, f"nothing was recorded for {slot}")
    for slot, count in accounted.items():
        if count > 1:
            yield _about(schedule, Lie.DOUBLED, f"{count} rows for {slot}")
    yield from _invented(schedule, singles, due)
    yield from _behind(schedule)


_SPAN: Final = " due times from "


def _about(schedule: Schedule, lie: Lie, message: str) -> Violation:
    return Violation(lie=lie, about=schedule.definition.name, message=message)


def _invented(schedule: Schedule, singles: Sequence[Remembered], due: Sequence[Due]) -> Iterator[Violation]:
    named, name = {one.slot for one in due}, schedule.definition.name
    for run in (one.run for one in singles):
        if run.slot not in named:
            yield Violation(lie=Lie.INVENTED, about=str(run.id), message=f"{name} has no slot {run.slot}")
        if run.state is RunState.SKIPPED and run.reason not in _reasons(schedule):
            yield Violation(lie=Lie.REASON, about=str(run.id), message=f"{name} skips for {run.reason!r}")


def _behind(schedule: Schedule) -> Iterator[Violation]:
    """A schedule that is paused was decided up to then, but for a few seconds."""
    if schedule.paused is None:
        return
    until = schedule.paused.at - _BEHIND
    late = list(Timing.of(schedule).each(schedule.watermark, until))
    if late:
        yield _about(schedule, Lie.BEHIND, f"{len(late)} due times up to {until} undecided")


def _covered(reason: str, due: Sequence[Due], *, taken: Mapping[str, int]) -> list[str]:
    """The slots that `misfire: 3 due times from A to B` speaks of: those from A to B that have no row of their own."""
    words = reason.split()
    slots = [one.slot for one in due]
    if words[5] not in slots or words[7] not in slots:
        return []
    own = slots[slots.index(words[5]) : slots.index(words[7]) + 1]
    return [slot for slot in own if slot == words[7] or not taken.get(slot)]


def _reasons(schedule: Schedule) -> set[str]:
    """Why this schedule may skip a due time."""
    policies = schedule.definition.policies
    missed = {
        "none": {SkipReason.MISFIRE},
        "latest": {SkipReason.COALESCED, SkipReason.WINDOW},
        "all": {SkipReason.LIMIT, SkipReason.WINDOW},
    }
    overlapping = {
        Overlap.SKIP: {SkipReason.OVERLAP},
        Overlap.QUEUE: {SkipReason.QUEUE_FULL},
        Overlap.REPLACE: {SkipReason.REPLACED},
        Overlap.ALLOW: set[SkipReason](),
    }
    return {reason.value for reason in missed[policies.catchup.value] | overlapping[policies.overlap]}


# -- effects ----------------------------------------------------------------------------------------------------


def _effects(history: History) -> Iterator[Violation]:
    by_id = {str(one.run.id): one.run for one in history.runs}
    for effect in history.effects:
        run = by_id.get(effect.run)
        if run is None:
            yield Violation(lie=Lie.EFFECT, about=effect.run, message="there is no such run")
            continue
        if effect.attempt != run.attempt:
            yield from _earlier(effect, run, retries=history.retries.get(run.flow, 0))
        if len(effect.begins) != 1 or len(effect.ends) > 1:
            message = f"it began {len(effect.begins)} times and ended {len(effect.ends)} times"
            yield Violation(lie=Lie.EFFECT, about=effect.run, message=message)
        for begin in effect.begins:
            if begin.due != run.due_at.isoformat():
                message = f"it was told that it was due at {begin.due}"
                yield Violation(lie=Lie.EFFECT, about=effect.run, message=message)
    yield from _asks(history)


def _earlier(effect: Effect, run: Run, *, retries: int) -> Iterator[Violation]:
    """What an attempt did that was not the last: it must have failed, and the run must be one that is tried again."""
    if not 1 <= effect.attempt < run.attempt <= retries + 1:
        message = f"attempt {effect.attempt} of a run whose last attempt is {run.attempt}"
        yield Violation(lie=Lie.EFFECT, about=effect.run, message=message)
    elif not effect.ends or effect.ends[-1].how != "failed":
        message = f"attempt {effect.attempt} did not fail, and was tried again"
        yield Violation(lie=Lie.EFFECT, about=effect.run, message=message)


def _asks(history: History) -> Iterator[Violation]:
    tokens = Counter(str(one.run.parameters.get("token")) for one in history.runs)
    for ask in history.faults.asks:
        count = tokens[ask.token]
        if count > 1 or (ask.acknowledged and count == 0):
            yield Violation(lie=Lie.ASK, about=ask.token, message=f"{count} runs; {ask}")


# -- runs -------------------------------------------------------------------------------------------------------


def _runs(history: History) -> Iterator[Violation]:
    effects = {(effect.run, effect.attempt): effect for effect in history.effects}
    wished = {wish.run for wish in history.faults.wishes}
    policies = {one.key: one.definition.policies.overlap for one in history.schedules}
    for one in history.runs:
        run = one.run
        each = [effects.get((str(run.id), attempt)) for attempt in range(1, run.attempt)]
        trial = _Trial(
            one=one,
            effect=effects.get((str(run.id), run.attempt)),
            earlier=tuple(filter(None, each)),
            retries=history.retries.get(run.flow, 0),
            faults=history.faults,
            limit=history.limits_seconds.get(run.flow),
            wished=str(run.id) in wished,
            replaces=run.schedule_key is not None and policies.get(run.schedule_key) is Overlap.REPLACE,
        )
        yield from trial.state()
        yield from trial.lines()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trial:
    """One run before the judge."""

    one: Remembered
    effect: Effect | None
    earlier: tuple[Effect, ...]
    retries: int
    faults: Faults
    limit: float | None
    wished: bool
    replaces: bool

    def state(self) -> Iterator[Violation]:
        """Is its state true?"""
        run = self.one.run
        if run.state not in FINAL:
            yield self._violation(Lie.STUCK, f"it is {run.state} ({run.reason})")
        elif run.state is RunState.SKIPPED:
            if self.effect is not None:
                yield self._violation(Lie.STATE, "it was skipped, and did something")
        elif run.state is not self._own_account() and not self._is_excused():
            yield self._violation(Lie.STATE, f"it is {run.state} ({run.reason}), and says {self._says()}")
        if run.state is RunState.FAILED and run.attempt <= self.retries:
            yield self._violation(Lie.STATE, f"it is {run.state} after {run.attempt} attempts")
        if len(self.earlier) < run.attempt - 1:
            yield self._violation(Lie.EFFECT, f"{len(self.earlier)} attempts before the last did something")
        if (
            self.limit is not None
            and self._seconds() > self.limit + _OVERTIME_SECONDS
            and not self._hampered()
        ):
            yield self._violation(
                Lie.OVERTIME, f"it ran for {self._seconds():.1f} s, its limit is {self.limit:g} s"
            )

    def _own_account(self) -> RunState | None:
        """What the run came to by its own record."""
        if self.effect is None or not self.effect.ends:
            return None
        accounts = {"completed": RunState.COMPLETED, "failed": RunState.FAILED}
        return accounts.get(self.effect.ends[-1].how, RunState.CRASHED)

    def _says(self) -> str:
        if self.effect is None:
            return "nothing"
        return f"that it {self.effect.ends[-1].how}" if self.effect.ends else "that it began"

    def _is_excused(self) -> bool:
        """May it have come to this, whatever it says of itself?"""
        match self.one.run.state:
            case RunState.CRASHED:
                return self._was_killed() or self._saw_full_disk()
            case RunState.CANCELLED:
                return self.wished or self.replaces or self._saw_cancelling_stop()
            case RunState.TIMED_OUT:
                return self.limit is not None and self._lifetime() >= self.limit - 0.1
            case _:
                return False

    def _was_killed(self) -> bool:
        own = {begin.process for begin in self.effect.begins} if self.effect is not None else set[Process]()
        pids = {process.pid for process in self.faults.killed}
        return bool(own & self.faults.killed) or (self.effect is None and self.one.run.pid in pids)

    def _saw_full_disk(self) -> bool:
        start, end = self.one.life
        return any(span.touches(start, end) for span in self.faults.full)

    def _saw_cancelling_stop(self) -> bool:
        start, end = self.one.life
        return any(span.touches(start, end + _A_SECOND) for span in self.faults.cancelling_stops)

    def _hampered(self) -> bool:
        start, end = self.one.life
        return any(span.touches(start, end) for span in self.faults.hampered)

    def _lifetime(self) -> float:
        """How long its process was there: what a limit counts. Its own first word comes when its file has been loaded."""
        run = self.one.run
        if run.started_at is None or run.ended_at is None:
            return 0.0
        return (run.ended_at - run.started_at) / timedelta(seconds=1)

    def _seconds(self) -> float:
        if self.effect is None or not self.effect.begins or self.one.run.ended_at is None:
            return 0.0
        return (microseconds_of(self.one.run.ended_at) - self.effect.begins[0].at) / _A_SECOND

    # -- its log

    def lines(self) -> Iterator[Violation]:
        """Is its log what it wrote?"""
        said = self._said()
        counts = Counter(said)
        spoken = {(one.channel, one.number): one for one in self._spoken()}
        for key, one in spoken.items():
            if counts[key] > 1:
                yield self._violation(Lie.LINE_DOUBLED, f"{_line(key)} is there {counts[key]} times")
            if counts[key] == 0 and one.done_at is not None and not self._had_no_room(one):
                yield self._violation(Lie.LINE_MISSING, f"{_line(key)}")
        for key in counts.keys() - spoken.keys():
            if not self._may_be_torn(key[0]):
                yield self._violation(Lie.LINE_INVENTED, f"{_line(key)}")
        for channel in {channel for channel, _ in spoken}:
            numbers = [number for where, number in said if where == channel]
            if numbers != sorted(numbers):
                yield self._violation(Lie.LINE_ORDER, f"{channel}: {numbers}")

    def _said(self) -> list[tuple[str, int]]:
        """The numbered lines of the log; one that is none has the number -1, a remark of schedulerd's is left out."""
        found = []
        for line in self.one.lines:
            if line.stream is Stream.SYSTEM:
                if line.message.startswith(_DAMAGED):
                    found.append((line.message, -1))
                continue
            channel, _, number = line.message.partition(" ")
            if channel == OF_HOOKS:
                continue
            found.append((channel, int(number)) if number.isdecimal() else (line.message, -1))
        return found

    def _spoken(self) -> tuple[Spoken, ...]:
        last = () if self.effect is None else (self.effect,)
        return tuple(one for effect in (*self.earlier, *last) for one in effect.spoken)

    def _had_no_room(self, line: Spoken) -> bool:
        end = line.done_at or line.about_at
        return any(span.touches(line.about_at, end) for span in self.faults.full)

    def _may_be_torn(self, text: str) -> bool:
        """Half a line, or the empty one that ends such, and what is said of half a record: where there was no room."""
        torn = [f"{one.channel} {one.number}" for one in self._spoken() if self._had_no_room(one)]
        return bool(torn) and (text.startswith(_DAMAGED) or any(line.startswith(text) for line in torn))

    def _violation(self, lie: Lie, message: str) -> Violation:
        return Violation(lie=lie, about=str(self.one.run.id), message=f"{self.one.run.selector}: {message}")


_DAMAGED: Final = "a record of the journal is damaged"


def _line(key: tuple[str, int]) -> str:
    return key[0] if key[1] < 0 else f"{key[0]} {key[1]}"


# -- the rest ---------------------------------------------------------------------------------------------------


def _rest(history: History) -> Iterator[Violation]:
    owners = {process: effect.run for effect in history.effects for process in effect.processes}
    for process in history.processes:
        about = owners.get(process, "nobody")
        yield Violation(lie=Lie.PROCESS, about=about, message=f"{process.pid} lives")
    if history.hooks_left:
        yield Violation(lie=Lie.HOOKS, about="hooks", message=f"those of {history.hooks_left} runs are due")
    yield from check_hooks(history)
    for folder in history.folders:
        yield Violation(lie=Lie.FOLDER, about=folder.rpartition(".")[0], message=folder)
    if history.wishes_left:
        yield Violation(lie=Lie.WISH, about="wishes", message=f"{history.wishes_left} are left")
    for complaint in history.complaints:
        yield Violation(lie=Lie.COMPLAINT, about="schedulerd", message=complaint)
