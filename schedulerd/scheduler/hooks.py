"""Has the hooks of runs that ended called, each once, in a process of its own, and puts what they say into the run's log.

A call goes the way of a run: taken in the database, a folder, the latch, a journal. One that has begun is never made a
second time: what was cut short is told in the log of its run.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.flows import FlowKind
from schedulerd.domain.hooks import DueHooks
from schedulerd.domain.intakes import Intake
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.engine.folders import RunFolders
from schedulerd.engine.leftovers import LAST_WORDS_SECONDS
from schedulerd.engine.notes import Stage, Word
from schedulerd.errors import StoreUnavailable
from schedulerd.scheduler.attempts import Attempt, Attempts
from schedulerd.scheduler.following import Follower
from schedulerd.scheduler.hook_questions import HookQuestions
from schedulerd.scheduler.hook_reading import HookReading, began_at, lost, punch, read_hooks_folder
from schedulerd.scheduler.launching import Launcher
from schedulerd.scheduler.recovery import Remedy, remedy
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_MOST_AT_START: Final = 10_000
_LOOK_SECONDS: Final = 0.5
_MOST_TRIES: Final = 3
_LAST_WORDS: Final = timedelta(seconds=LAST_WORDS_SECONDS)


@dataclass(kw_only=True, slots=True)
class _Call:
    """One call that is going on, or about to: what is due, and the process that it is, as of an attempt.

    `tries`: how many processes died before they began.
    """

    due: DueHooks
    attempt: Attempt
    tries: int = 0


class HookDesk:
    """The calls of hooks of this agent. Nothing here costs anything while no flow with hooks has ended.

    `attempts` are their processes; `most` of them go on at the same time.
    """

    def __init__(
        self,
        database: Database,
        folders: RunFolders,
        launcher: Launcher,
        follower: Follower,
        clock: Clock,
        *,
        questions: HookQuestions,
        agent: str,
        most: int,
    ) -> None:
        self._database = database
        self._folders = folders
        self._launcher = launcher
        self._follower = follower
        self._clock = clock
        self._questions = questions
        self._agent = agent
        self._most = most
        self._calls: dict[str, _Call] = {}
        self._is_wanted = True
        self._looked_at = float("-inf")
        self._grown: set[str] = set()
        self.attempts = Attempts()

    @property
    def is_idle(self) -> bool:
        """Is nothing called, or known to be due?"""
        return not self._calls and not self._is_wanted

    @property
    def folders(self) -> Collection[str]:
        """The names of the folders of calls."""
        return self._calls.keys()

    # -- news ---------------------------------------------------------------------------------------------------

    def settled(self, attempt: Attempt) -> None:
        """A run has ended: its hooks may be due."""
        self._is_wanted = self._is_wanted or attempt.has_hooks

    def want(self) -> None:
        """Look into the database for what is due, and at everything that goes on."""
        self._is_wanted = True
        self.look_soon()

    def look_soon(self) -> None:
        """Something has happened to a process."""
        self._looked_at = float("-inf")

    def grew(self, folder: str) -> None:
        """The journal of a call, if it is one, has grown: it asks something, perhaps."""
        if folder in self._calls:
            self._grown.add(folder)

    def lost_spawner(self) -> None:
        """The spawner has died, and answers for none of its processes any more."""
        for attempt in self.attempts:
            attempt.asked = attempt.ours = False
        self.look_soon()

    # -- work ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take up the calls that an earlier daemon took on; before folders are swept. Raises `StoreUnavailable`."""
        with self._database.read() as tx:
            due = tx.hooks.due(self._agent, limit=_MOST_AT_START)
        for one in due:
            if one.boot_id is not None:
                self._follow(one)

    def look(self) -> None:
        """Go on with what is due. Raises `StoreUnavailable`, and `OSError` where a folder cannot be made: it is tried again."""
        if self._is_wanted:
            self._take_due()
        if not self._calls:
            return
        monotonic = self._clock.monotonic()
        is_time = monotonic - self._looked_at >= _LOOK_SECONDS
        if is_time:
            self._looked_at = monotonic
        for folder, call in list(self._calls.items()):
            if is_time or call.attempt.dead:
                self._see_to(call, monotonic)
            elif folder in self._grown:
                self._questions.answer(call.attempt)
        self._grown.clear()

    def _take_due(self) -> None:
        room = self._most - len(self._calls)
        if room <= 0:
            return  # one that ends makes room
        with self._database.read() as tx:
            due = tx.hooks.due(self._agent, limit=self._most)
        taken = [one for one in due if one.folder not in self._calls][:room]
        fresh = [one for one in taken if one.boot_id is None]
        if fresh:
            with self._database.write() as tx:
                tx.hooks.take(fresh, boot_id=self._follower.boot_id)
        self._is_wanted = len(due) == self._most
        for one in taken:
            self._follow(one)
        if taken:
            self.look_soon()

    def _follow(self, due: DueHooks) -> None:
        attempt = Attempt(
            run=due.run,
            selector=due.selector,
            folder=due.folder,
            kind=FlowKind.PYTHON,
            state=RunState.PENDING,
            position=Position(),
            boot_id=due.boot_id or self._follower.boot_id,
            number=due.attempt,
            timeout=self._launcher.hook_timeout,
        )
        self._calls[due.folder] = _Call(due=due, attempt=attempt)
        self.attempts.add(attempt)

    def _see_to(self, call: _Call, monotonic: float) -> None:
        attempt = call.attempt
        if attempt.dead:
            self._settle(call)
        elif attempt.ours or attempt.adopted:
            self._questions.answer(attempt)
            punch(self._folders.runs / attempt.folder)
            if attempt.deadline is not None and monotonic >= attempt.deadline:
                grace = min(self._launcher.grace, _LAST_WORDS)
                self._follower.end_adopted(attempt, Word.TIMEOUT, grace=grace)
        else:
            self._do_what_is_right(call)

    def _do_what_is_right(self, call: _Call) -> None:
        """As for a run of which nothing is heard: see `recovery`."""
        attempt = call.attempt
        facts = self._folders.facts(attempt.folder)
        match remedy(self._follower.scene(attempt, facts)):
            case Remedy.ASK:
                self._launcher.ask(attempt)
            case Remedy.PREPARE:
                self._prepare(call)
            case Remedy.GIVE_UP:
                self._folders.give_up(attempt.folder)
            case Remedy.ADOPT:
                attempt.started_at = began_at(self._folders.runs / attempt.folder)
                self._follower.adopt(attempt, facts)
            case Remedy.SETTLE:
                attempt.dead = self._follower.is_over(attempt, facts)
                if attempt.dead:
                    self._settle(call)
            case Remedy.LOST:
                restarted = attempt.boot_id != self._follower.boot_id
                why = "the machine was restarted" if restarted else "their folder is gone"
                self._record(call, lost(why, now=self._clock.now()))
            case Remedy.WAIT | Remedy.WITHDRAW:
                pass

    def _prepare(self, call: _Call) -> None:
        due, attempt = call.due, call.attempt
        with self._database.read() as tx:
            run = tx.runs.to_prepare(due.run)
            flow = tx.flows.get(run.flow)
            has_value = due.state is RunState.COMPLETED and run.attempt == due.attempt
            value = tx.results.of_flow(run.key) if has_value else None
        self._folders.remove(due.folder)  # one that was given up, if any
        attempt.ours, attempt.pid = False, None
        self._launcher.prepare_hooks(due, run, flow, value)
        self._launcher.ask(attempt)

    # -- ends ---------------------------------------------------------------------------------------------------

    def _settle(self, call: _Call) -> None:
        if call.tries < _MOST_TRIES and self._folders.facts(call.due.folder).stage is Stage.ARMED:
            call.tries += 1
            call.attempt.dead = call.attempt.asked = False
            self._prepare(call)  # nothing of it ran
            return
        self._questions.answer(call.attempt, is_over=True)  # so that no secret is shown that it was given
        reading = read_hooks_folder(
            self._folders.runs / call.due.folder,
            now=self._clock.now(),
            limit=self._launcher.hook_timeout,
            redact=call.attempt.redactor.redact,
        )
        self._record(call, reading)

    def _record(self, call: _Call, reading: HookReading) -> None:
        """Put it into the log of the run, and forget the call, in one transaction."""
        try:
            self._write(call.due, reading)
        except StoreUnavailable:
            raise
        except Exception:  # border: words that the database refuses must not have the hooks called for ever
            log.exception("hooks_refused", extra={"run": call.due.selector})
            why = "the database refused what they wrote"
            self._write(call.due, lost(why, now=self._clock.now()))
        self._forget(call)
        extra = {"run": call.due.selector, "state": call.due.state}
        if reading.cut_short is None:
            log.info("hooks_called", extra=extra)
        else:
            log.warning("hooks_cut_short", extra={**extra, "reason": reading.cut_short})

    def _write(self, due: DueHooks, reading: HookReading) -> None:
        with self._database.write() as tx:
            if not tx.hooks.done(due):
                return  # an earlier commit of unknown outcome was one
            run = tx.runs.by_key(due.run)
            intake = Intake(
                run=run.key,
                was=run.position,
                now=run.position,
                lines=reading.lines,
                artifacts=reading.artifacts,
                events=reading.events,
            )
            tx.intake.take([intake])

    def _forget(self, call: _Call) -> None:
        del self._calls[call.due.folder]
        self.attempts.remove(call.attempt)
        self._folders.remove(call.due.folder)
        self._questions.forget(call.due.folder)
