"""The core: one thread that takes messages in order and owns every decision about runs.

Each turn does what is due, whatever the messages said: they only make it soon. So a message that was lost, or that
came while the database was away, costs a second and nothing else.
"""

import contextlib
import logging
import queue
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Final, assert_never

from schedulerd.domain.health import Health, TroubleKind
from schedulerd.engine import wire
from schedulerd.errors import StoreFull, StoreUnavailable
from schedulerd.scheduler.care import Care
from schedulerd.scheduler.messages import (
    DefinitionsChanged,
    JournalGrew,
    Message,
    ProcessEnded,
    Reload,
    SpawnerSpoke,
    Stop,
    Tick,
    Whispered,
    Woken,
)
from schedulerd.scheduler.parts import Parts
from schedulerd.scheduler.renewal import Renewal
from schedulerd.scheduler.spawner_news import SpawnerNews
from schedulerd.scheduler.zone_data import follow_zone_data
from schedulerd.store.lookout import Lookout

log = logging.getLogger(__name__)

_LONGEST_WAIT: Final = 1.0
_SHORTEST_WAIT: Final = 0.05  # what is past its time and does not go away is not looked at without a pause
_TOGETHER_SECONDS: Final = (
    0.005  # what ends within it is taken together: a turn for each costs more than all of them in one
)
_SWEEP_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 0.9
_RECONCILE_SECONDS: Final = 10.0
_BEAT_SECONDS: Final = 10.0
# What is over by the second time that it is tried again is nothing that anybody could do something about. It is less than the
# store's own patience, so that what it has waited for in vain is told at once.
_HICCUP_SECONDS: Final = 1.5
_HOOKS_SECONDS: Final = 10.0  # how long a stop that cancels the runs waits for what is called at their end

Mailbox = queue.SimpleQueue[Message]


class Core:
    """Runs until it is told to stop. `post` may be called from any thread."""

    def __init__(
        self, parts: Parts, mailbox: Mailbox, *, on_turn: Callable[["Core"], None] = lambda _: None
    ) -> None:
        self._parts = parts
        self._queue = mailbox
        self._on_turn = on_turn
        self._stop: Stop | None = None
        self._stop_deadline = 0.0
        self._claim = self._may_have_wishes = True
        self._was_held = False
        self._away_since: float | None = None
        self._lookout: Final = Lookout(parts.database.mark)
        self._next_due: datetime | None = None
        self._ticked_at = self._swept_at = self._reconciled_at = self._beat_at = float("-inf")
        self._ticks = 0
        self._care = Care(parts)
        self._renewal = Renewal(
            parts.definitions, parts.inspector, parts.starting, parts.clock, reread=parts.reread
        )
        self._news = SpawnerNews(
            attempts=parts.attempts,
            inspector=parts.inspector,
            intake=parts.intake,
            definitions=parts.definitions,
            follower=parts.follower,
            hooks=parts.hooks,
            spawners=parts.spawners,
            starting=parts.starting,
            clock=parts.clock,
        )

    def post(self, message: Message) -> None:
        """Tell the core something."""
        self._queue.put(message)

    @property
    def is_ready(self) -> bool:
        """Can runs be started?"""
        return self._news.is_ready

    @property
    def running_count(self) -> int:
        """How many runs are going on."""
        return len(self._parts.attempts)

    @property
    def tick_count(self) -> int:
        """How many ticks there were since the start."""
        return self._ticks

    @property
    def has_processes(self) -> bool:
        """Is there a process of a run, or of the hooks of one?"""
        return bool(len(self._parts.attempts) or len(self._parts.hooks.attempts))

    @property
    def next_due(self) -> datetime | None:
        """The next due time of all schedules."""
        return self._next_due

    @property
    def problem_count(self) -> int:
        """How many definition files have something wrong with them."""
        return self._parts.definitions.problem_count

    @property
    def store_is_away(self) -> bool:
        """Did the database fail to answer the last time?"""
        return self._away_since is not None

    @property
    def health(self) -> Health:
        """What is wrong now."""
        return self._parts.health.health

    def begin(self) -> None:
        """Take up what an earlier daemon left; before the first turn. Raises `StoreUnavailable`."""
        parts = self._parts
        follow_zone_data(parts.database)
        with parts.database.read() as tx:
            parts.definitions.load(tx)
        parts.reconciler.follow_live_runs(parts.definitions.flows)
        parts.answerer.begin()
        parts.hooks.begin()
        parts.reconciler.sweep_folders(parts.hooks.folders)
        parts.spawners.look(parts.clock.monotonic())

    def run(self) -> None:
        """Take messages until the core is told to stop, and what that asks for is done."""
        while not self._is_done():
            self.turn(self._messages())

    def turn(self, messages: Iterable[Message]) -> None:
        """One turn: hear the messages, then do what is due."""
        began = self._parts.clock.monotonic()
        try:
            for message in messages:
                self._try(partial(self._hear, message))
            for step in self._steps():
                self._try(step)
        except StoreUnavailable as error:  # all of it is still to be done, and is, when the database is back
            self._note_store(error, began)
        else:
            self._away_since = None
            self._parts.health.clear(TroubleKind.DATABASE)
        self._try(partial(self._on_turn, self))

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except StoreUnavailable:
            raise
        except Exception:  # border: what goes wrong with one kind of work must not stop the others
            log.exception("step_failed", extra={"step": getattr(step, "__name__", step)})

    # -- hearing ------------------------------------------------------------------------------------------------

    def _messages(self) -> list[Message]:
        """All that has been posted, once something has that is worth a turn; waits for it at most a second, and not at all
        when work is left over."""
        now = self._parts.clock.monotonic()
        until, together = now + _LONGEST_WAIT, now + _TOGETHER_SECONDS
        if self._left_over(now) == 0.0:
            together = now
        while True:
            patience = max(together - now, self._patience(now))
            try:
                message = self._queue.get(timeout=max(0.0, min(until - now, patience)))
            except queue.Empty:
                return []
            if not self._can_wait(message):
                return [message, *self._posted()]
            now = self._parts.clock.monotonic()

    def _posted(self) -> Iterator[Message]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._queue.get_nowait()

    def _patience(self, now: float) -> float:
        """Seconds until there is something to be done that nobody posts a message for."""
        return min(
            self._left_over(now),
            self._parts.ender.patience(now) + _SHORTEST_WAIT,
            self._parts.answerer.patience(now) + _SHORTEST_WAIT,
        )

    def _left_over(self, now: float) -> float:
        """Seconds until work is to be gone on with that was begun, or noted; a database that is away is not asked for it."""
        if self.store_is_away:
            return _LONGEST_WAIT
        return 0.0 if self._renewal.is_behind else self._parts.intake.patience(now)

    def _can_wait(self, message: Message) -> bool:
        """Is it something to be known, and nothing to be done about? Then it has been heard."""
        match message:
            case SpawnerSpoke(said=wire.Ended(key=key)) if self._parts.attempts.get(key) is None:
                return False
            case SpawnerSpoke(said=wire.Taken() | wire.Pong() | wire.Ended()):
                self._try(partial(self._hear, message))
                return True
            case JournalGrew(key=key):
                return self._parts.intake.rang(key)
        return False

    def _hear(self, message: Message) -> None:
        match message:
            case Tick():
                pass
            case Woken():
                self._claim = True
                self._parts.answerer.asked()
            case JournalGrew(key=key):
                self._parts.intake.rang(key)
                self._parts.hooks.grew(key)
            case Whispered(key=key, question=question, value=value):
                self._parts.answerer.hear(key, question, value)
                self._parts.intake.note(key)
            case SpawnerSpoke(said=said):
                self._look_now(self._news.hear(said))
            case ProcessEnded(key=key):
                self._look_now(self._news.hear_end(key))
            case DefinitionsChanged():
                self._renewal.hear(message)
            case Stop():
                self._hear_stop(message)
            case Reload(done=done):
                self._renewal.reload(done)
            case _:
                assert_never(message)

    def _look_now(self, wanted: bool) -> None:
        if wanted:
            self._swept_at = float("-inf")

    def _hear_stop(self, stop: Stop) -> None:
        if self._stop is None or stop.how == "cancel":
            log.info("stopping", extra={"how": stop.how, "running": self.running_count})
            self._stop = stop
            patience = max(stop.patience, _HOOKS_SECONDS) if stop.how == "cancel" else stop.patience
            self._stop_deadline = self._parts.clock.monotonic() + patience

    # -- working ------------------------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Callable[[], None]]:
        """What is due now, the due times first."""
        self._may_have_wishes = True  # unless a tick of this turn finds none
        monotonic = self._parts.clock.monotonic()
        yield self._care.look_around
        yield self._end_runs
        if self._stop is None:
            yield self._watch_the_clock
            yield self._tick
            yield self._define
        if monotonic - self._swept_at >= _SWEEP_SECONDS:
            self._swept_at = monotonic
            yield self._sweep
        if monotonic - self._reconciled_at >= _RECONCILE_SECONDS:
            self._reconciled_at = monotonic
            yield self._care.reconcile
        yield self._take
        yield self._answer
        yield self._care.call_hooks
        if monotonic - self._beat_at >= _BEAT_SECONDS:
            self._beat_at = monotonic
            yield self._beat
        if self._stop is None:
            yield self._parts.webhook_watch.look
            yield self._parts.housekeeper.look
        yield self._set_alarm

    def _end_runs(self) -> None:
        self._care.end(all_of_them=self._cancels_all)

    def _answer(self) -> None:
        if self._parts.answerer.look():
            self._claim = True  # runs were asked for, or a run lends its place

    def _set_alarm(self) -> None:
        due = self._next_due if self._renewal.is_planned else None
        soon = self._claim or self._swept_at == float("-inf")
        self._parts.alarm.set(self._parts.clock.now() if soon else due)

    def _take(self) -> None:
        if self._parts.intake.take():
            self._claim = True  # what waited for a run that has ended need not wait longer
            self._tick()

    def _define(self) -> None:
        self._claim |= self._renewal.look()

    def _watch_the_clock(self) -> None:
        if self._parts.clock_watch.look():
            self._claim = True  # what is due next has changed

    def _tick(self) -> None:
        if self._stop is not None:
            return
        now, monotonic = self._parts.clock.now(), self._parts.clock.monotonic()
        due = self._renewal.is_planned and self._next_due is not None and self._next_due <= now
        is_held = self._parts.starting.is_held
        self._claim |= self._was_held and not is_held  # no commit tells of that
        if not (self._claim or due or self._is_time_to_look(monotonic)):
            return
        self._claim = True  # until it has been done
        self._lookout.begin()
        ticked = self._parts.ticker.tick(now=now, plan_due=self._renewal.is_planned, may_start=not is_held)
        self._claim, self._next_due, self._ticked_at = ticked.more, ticked.next_due, monotonic
        self._lookout.end(found=ticked.waits)
        self._was_held = is_held
        self._ticks += 1
        self._parts.starting.drained(self._parts.ticker.agent, ticked.drain)
        self._care.launch(ticked.claimed, ticked.known)
        self._may_have_wishes = ticked.has_wishes
        self._look_now(ticked.has_wishes)

    def _is_time_to_look(self, monotonic: float) -> bool:
        """Now and then without being asked to, where there may be something to do: a bell may have gone unheard."""
        return monotonic - self._ticked_at >= _LOOK_SECONDS and self._lookout.begin()

    def _sweep(self) -> None:
        self._claim |= self._care.sweep(  # a place may be free
            may_have_wishes=self._may_have_wishes, ends_all=self._cancels_all
        )

    def _beat(self) -> None:
        beat = self._parts.beat(self)
        with self._parts.database.write() as tx:
            tx.agents.beat(beat)

    # -- stopping -----------------------------------------------------------------------------------------------

    @property
    def _cancels_all(self) -> bool:
        return self._stop is not None and self._stop.how == "cancel"

    def _is_done(self) -> bool:
        if self._stop is None:
            return False
        if self._stop.how == "leave":
            return True  # what was not read yet lies on disk for the next daemon
        if self._stop.how == "drain" and self._parts.clock.monotonic() >= self._stop_deadline:
            return True
        if self.store_is_away:
            return all(attempt.dead for attempt in self._parts.attempts)
        # hooks that go on at the deadline are taken up by the next daemon
        hooks_may_end = self._parts.clock.monotonic() < self._stop_deadline and not self._parts.hooks.is_idle
        return not len(self._parts.attempts) and not hooks_may_end

    def _note_store(self, error: StoreUnavailable, began: float) -> None:
        if self._away_since is None:
            self._away_since = began
        lasted = self._parts.clock.monotonic() - self._away_since
        if lasted >= _HICCUP_SECONDS:
            self._parts.health.note(TroubleKind.DATABASE, error.message, mend=error.mend, lasted=lasted)
        self._claim = True  # whether it is back is found by trying
        if isinstance(error, StoreFull):
            self._parts.space.relieve()
