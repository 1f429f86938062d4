"""Brings what the core believes of its live runs in line with the database, the disk and the processes."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from schedulerd.clock import Clock, microseconds
from schedulerd.domain.flows import Flow, FlowKind
from schedulerd.domain.ids import FlowKey
from schedulerd.domain.retrying import NEVER
from schedulerd.domain.runs import Position, Run
from schedulerd.domain.states import RunState
from schedulerd.engine.folders import Exit, Facts, RunFolders, Word, leave_word, write_exit
from schedulerd.engine.leftovers import Farewell, Leftovers, end_group
from schedulerd.engine.processes import is_alive, is_taken_by_another, reap_strangers
from schedulerd.scheduler.attempts import Attempt, Attempts, Letter
from schedulerd.scheduler.launching import Launcher, Usual
from schedulerd.scheduler.recovery import Remedy, Scene, remedy
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

_ACTOR: Final = "recovery"
_PATIENCE_WITH_PARENT_SECONDS: Final = 30.0


class Reconciler:
    """Looks after attempts of which nothing is heard: asks again, adopts, settles, or records them as lost."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        folders: RunFolders,
        launcher: Launcher,
        leftovers: Leftovers,
        *,
        clock: Clock,
        agent: str,
        boot_id: str,
        watch: Callable[[int, str], bool],
        settled: Callable[[Attempt], None],
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._folders = folders
        self._launcher = launcher
        self._leftovers = leftovers
        self._clock = clock
        self._agent = agent
        self._boot_id = boot_id
        self._watch = watch
        self._settled = settled

    def follow_live_runs(self, flows: Mapping[FlowKey, Flow]) -> None:
        """Follow every live run that the database knows for this agent, as the database knows it.

        A commit that seemed to fail may have been one: a claim that was made, a cancellation that was granted.
        """
        with self._database.read() as tx:
            live = tx.runs.live(self._agent)
        for run in live:
            known = self._attempts.get(run.folder)
            if known is None:
                self._attempts.add(attempt_of(run, flows, self._launcher.usual))
            elif known.position == run.position:
                known.state = run.state

    def sweep_folders(self) -> None:
        """Remove what settled runs and interrupted inspections left; for the start, before anything is prepared."""
        self._folders.sweep()
        for key in self._folders.names():
            if self._attempts.get(key) is None and not self._lives(key):
                self._folders.remove(key)
        self.sweep_cgroups()

    def sweep_cgroups(self) -> None:
        """Remove the empty cgroups of runs whose folders are gone; what such a run was to leave may end at any time."""
        self._leftovers.sweep(self._folders.names())

    def _lives(self, key: str) -> bool:
        """Is somebody still at work in this folder? Of another database, perhaps: not ours to remove."""
        process = self._folders.facts(key).process
        return process is not None and is_alive(process)

    def look_at(self, attempt: Attempt, flows: Mapping[FlowKey, Flow]) -> bool:
        """Do the one right thing about an attempt; True when it is now ready to be read to its end."""
        facts = self._folders.facts(attempt.folder)
        wanted = remedy(self._scene(attempt, facts))
        match wanted:
            case Remedy.WAIT:
                return False
            case Remedy.ASK:
                self._launcher.ask(attempt)
            case Remedy.WITHDRAW:
                self._withdraw(attempt)
            case Remedy.PREPARE:
                self._prepare_again(attempt, flows)
            case Remedy.GIVE_UP:
                self._folders.give_up(attempt.folder)
            case Remedy.ADOPT:
                self._adopt(attempt, facts)
            case Remedy.SETTLE:
                attempt.dead = attempt.dead or self._is_over(attempt, facts)
                return attempt.dead
            case Remedy.LOST:
                self._lose(attempt)
            case _:
                assert_never(wanted)
        return False

    def reap(self, attempt: Attempt) -> None:
        """The process of an adopted run has ended: when it became ours (its spawner had died), note how it ended."""
        attempt.adopted = False
        if attempt.pid is None:
            return
        try:
            pid, status, usage = os.wait4(attempt.pid, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            self._note_exit(attempt, replace(Exit.of(status, usage, ended_us=microseconds()), seen_off=False))

    def _note_exit(self, attempt: Attempt, ended: Exit) -> None:
        with contextlib.suppress(OSError), self._folder(attempt) as folder:
            write_exit(folder, ended)

    def _leave_word(self, attempt: Attempt, word: Word) -> None:
        with contextlib.suppress(OSError), self._folder(attempt) as folder:
            leave_word(folder, word)

    @contextlib.contextmanager
    def _folder(self, attempt: Attempt) -> Iterator[int]:
        folder = os.open(self._folders.runs / attempt.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield folder
        finally:
            os.close(folder)

    def _is_over(self, attempt: Attempt, facts: Facts) -> bool:
        """Has a run whose process has ended, and all that it left behind? What no spawner saw off is seen off here."""
        if facts.process is None or (facts.exit is not None and facts.exit.seen_off):
            return True
        if facts.exit is None:
            attempt.pid = facts.process.pid
            self.reap(attempt)
        if attempt.surroundings.leave_children and attempt.kill_at is None:
            return True
        now, grace = self._clock.monotonic(), self._launcher.grace.total_seconds()
        if attempt.farewell is None:
            attempt.farewell = Farewell.begin(now, grace=grace, kill_at=attempt.kill_at)
        group = None if is_taken_by_another(facts.process) else facts.process.pid
        if not attempt.farewell.go_on(lambda sign: self._leftovers.end(attempt.folder, group, sign), now):
            return False
        ended = self._folders.facts(attempt.folder).exit
        ended = ended or Exit(ended_us=microseconds())  # nobody could wait for it
        self._note_exit(attempt, replace(ended, left=attempt.farewell.left, seen_off=True))
        return True

    def has_ended(self, attempt: Attempt) -> bool:
        """Has its own process ended, whatever of it is still to be seen off or read?"""
        process = self._folders.facts(attempt.folder).process
        return process is not None and not is_alive(process)

    def reap_orphans(self) -> None:
        """Wait for what runs left behind and what came to this process, but for the runs themselves."""
        reap_strangers({attempt.pid for attempt in self._attempts if attempt.pid is not None})

    def end_adopted(self, attempt: Attempt, word: Word, *, grace: timedelta) -> None:
        """End an adopted run: politely now, by force when its grace is over; called again and again until it ended.

        The word is left only for one that has not ended by itself: that came to what it did.
        """
        if attempt.pid is None:
            return
        now = self._clock.monotonic()
        if attempt.kill_at is None:
            if not self.has_ended(attempt):
                self._leave_word(attempt, word)
            attempt.kill_at = now + grace.total_seconds()
            end_group(attempt.pid, signal.SIGTERM)
        elif now >= attempt.kill_at:
            end_group(attempt.pid, signal.SIGKILL)

    def _scene(self, attempt: Attempt, facts: Facts) -> Scene:
        return Scene(
            state=attempt.state,
            facts=facts,
            same_boot=attempt.boot_id == self._boot_id,
            asked=attempt.asked,
            ours=attempt.ours,
            process_lives=facts.process is not None and is_alive(facts.process),
            parent_lives=self._parent_will_tell(attempt, facts),
            heard_of=attempt.position != Position() or attempt.pid is not None,
        )

    def _parent_will_tell(self, attempt: Attempt, facts: Facts) -> bool:
        """Does its keeper or spawner live, so that it will say how the run ended? Not for ever: it may be unable to."""
        if not any(is_alive(parent) for parent in facts.parents):
            return False
        if facts.process is None or is_alive(facts.process):
            return True
        now = self._clock.monotonic()
        attempt.waited_since = now if attempt.waited_since is None else attempt.waited_since
        return (
            now - attempt.waited_since < _PATIENCE_WITH_PARENT_SECONDS + self._launcher.grace.total_seconds()
        )

    def _withdraw(self, attempt: Attempt) -> None:
        """Take the latch ourselves: whoever comes later finds nothing to start."""
        folder = self._folders.take(attempt.folder)
        if folder is not None:
            os.close(folder)
            self._folders.give_up(attempt.folder)
            self._end_without_process(attempt, RunState.CANCELLED, "cancelled before it started")

    def _prepare_again(self, attempt: Attempt, flows: Mapping[FlowKey, Flow]) -> None:
        with self._database.read() as tx:
            run = tx.runs.by_key(attempt.run)
            known = tx.results.of_tasks(run.key) if run.attempt > 1 else []
        self._folders.remove(attempt.folder)
        attempt.ours, attempt.pid = False, None
        self._launcher.prepare(run, flows[run.flow_key], known)
        self._launcher.ask(attempt)
        log.info("run_prepared_again", extra={"run": attempt.selector})

    def _adopt(self, attempt: Attempt, facts: Facts) -> None:
        if attempt.timeout is not None and attempt.deadline is None and not _spawner_lives(facts):
            passed = self._clock.now() - (attempt.started_at or self._clock.now())
            attempt.deadline = self._clock.monotonic() + (attempt.timeout - passed).total_seconds()
        _go_on_ending(attempt, facts.word, now=self._clock.monotonic())
        if attempt.adopted:
            return
        assert facts.process is not None
        attempt.pid = facts.process.pid
        attempt.adopted = self._watch(facts.process.pid, attempt.folder)
        log.info("run_adopted", extra={"run": attempt.selector, "pid": attempt.pid})

    def _lose(self, attempt: Attempt) -> None:
        restarted = attempt.boot_id != self._boot_id
        reason = "machine restarted" if restarted else "its folder is gone; exit status unknown"
        to = RunState.CANCELLED if attempt.state is RunState.CANCELLING else RunState.CRASHED
        again = attempt.retrying.after(attempt.number, to)
        if again is not None and attempt.state is RunState.RUNNING:
            reason = attempt.retrying.reason(attempt.number, timedelta(), to, reason)
            to = RunState.RETRYING  # at once: what it waited for was the machine
        log.warning("run_lost", extra={"run": attempt.selector, "reason": reason})
        self._end_without_process(attempt, to, reason)

    def _end_without_process(self, attempt: Attempt, to: RunState, reason: str) -> None:
        now = self._clock.now()
        with self._database.write() as tx:
            tx.runs.move(attempt.run, to, at=now, actor=_ACTOR, message=reason, reason=reason)
        self._attempts.remove(attempt)
        self._folders.remove(attempt.folder)
        if to is not RunState.RETRYING:
            self._settled(attempt)


def _go_on_ending(attempt: Attempt, word: Word | None, *, now: float) -> None:
    """What another daemon began to end, and may have been killed before it had told, is to be ended."""
    match word:
        case None:
            pass
        case Word.CANCEL:
            attempt.must_end = True
        case Word.TIMEOUT:
            attempt.deadline = now if attempt.deadline is None else min(attempt.deadline, now)
        case _:
            assert_never(word)


def _spawner_lives(facts: Facts) -> bool:
    """Is the spawner of this run there, to keep its time limit?"""
    return bool(facts.parents) and is_alive(facts.parents[-1])


def attempt_of(run: Run, flows: Mapping[FlowKey, Flow], usual: Usual) -> Attempt:
    """The attempt of a run, with what its flow and the settings say of its kind and limits."""
    flow = flows.get(run.flow_key)
    return Attempt.of(
        run,
        kind=flow.definition.kind if flow is not None else FlowKind.PYTHON,
        retrying=NEVER if flow is None else flow.definition.retrying,
        timeout=usual.timeout_of(None if flow is None else flow.definition),
        surroundings=usual.surroundings_of(None if flow is None else flow.definition),
        letter=_letter(run, flow),
    )


def _letter(run: Run, flow: Flow | None) -> Letter | None:
    to = flow.definition.mail_to if flow is not None else None
    if flow is None or to is None:
        return None
    return Letter(run=run.key, to=to, command=flow.definition.command, file=flow.definition.file)
