"""Follows the processes of attempts: what the disk and the system say of them, and what is to be done for their end."""

import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from schedulerd.clock import Clock, microseconds
from schedulerd.domain.runs import Position
from schedulerd.engine.folders import Facts, RunFolders
from schedulerd.engine.leftovers import Farewell, Leftovers, end_group
from schedulerd.engine.notes import Exit, Word, leave_word, write_exit
from schedulerd.engine.processes import is_alive, is_taken_by_another
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.launching import Launcher
from schedulerd.scheduler.recovery import Scene

log = logging.getLogger(__name__)

_PATIENCE_WITH_PARENT_SECONDS: Final = 30.0


class Follower:
    """Adopts, ends and sees off what an attempt is in the system. It decides nothing about runs, and needs no database."""

    def __init__(
        self,
        folders: RunFolders,
        launcher: Launcher,
        leftovers: Leftovers,
        *,
        clock: Clock,
        boot_id: str,
        watch: Callable[[int, str], bool],
    ) -> None:
        self._folders = folders
        self._launcher = launcher
        self._leftovers = leftovers
        self._clock = clock
        self._boot_id = boot_id
        self._watch = watch

    @property
    def boot_id(self) -> str:
        """This boot of the machine."""
        return self._boot_id

    def scene(self, attempt: Attempt, facts: Facts) -> Scene:
        """What there is to know about an attempt, for the one right thing to do about it."""
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

    def adopt(self, attempt: Attempt, facts: Facts) -> None:
        """Follow a living process whose spawner, or daemon, has died."""
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

    def is_over(self, attempt: Attempt, facts: Facts) -> bool:
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
        if attempt.must_kill:
            attempt.farewell.kill_at = min(attempt.farewell.kill_at, now)
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

    def end_adopted(self, attempt: Attempt, word: Word, *, grace: timedelta) -> None:
        """End an adopted run: politely now, by force when its grace is over, which may become less; called again and again
        until it ended.

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
            return
        attempt.kill_at = min(attempt.kill_at, now + grace.total_seconds())
        if now >= attempt.kill_at:
            end_group(attempt.pid, signal.SIGKILL)


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
