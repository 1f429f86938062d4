"""A campaign: the real daemon on its schedules, the nemesis let loose on it, a time to heal, and the checker's verdict."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from schedulerd.clock import SystemClock
from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import FINAL, RunState
from schedulerd.errors import SchedulerdError
from tests.faults.checker import check, due_times
from tests.faults.deeds import plan
from tests.faults.disks import Disk, can_mount
from tests.faults.effects import read_effects, read_hooks
from tests.faults.history import History, remembered
from tests.faults.lies import Violation
from tests.faults.nemesis import Nemesis, lives
from tests.faults.workload import ENDLESS, HOOKED, LIMITS_SECONDS, RETRIES, lay_out, records_of_hooks
from tests.postgres import PostgresServer
from tests.service import Service
from tests.waiting import eventually

_CLOCK: Final = SystemClock()
_LOOK_SECONDS: Final = 0.05
_WELL_AGAIN_SECONDS: Final = 60.0
_SETTLED_SECONDS: Final = 90.0
_HEALTHY_SECONDS: Final = 8.0  # the first look at the files may take five
_GONE_SECONDS: Final = 15.0
_UNFINISHED: Final = frozenset(RunState) - FINAL


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a campaign."""

    seed: int
    history: History
    violations: tuple[Violation, ...]
    deeds: int
    seconds: float
    seconds_to_settle: float
    folder: Path

    @property
    def summary(self) -> str:
        """Its figures, in one line."""
        due = sum(len(due_times(schedule)) for schedule in self.history.schedules)
        spoken = sum(len(effect.spoken) for effect in self.history.effects)
        return (
            f"seed {self.seed}: {self.seconds:.0f} s, {self.deeds} deeds, {due} due times, "
            f"{len(self.history.runs)} runs, {spoken} lines; settled after {self.seconds_to_settle:.1f} s; "
            f"{len(self.violations)} violations"
        )

    @property
    def report(self) -> str:
        """The figures, and each violation with the history of its run."""
        shown = [f"{one}\n{_story(self.history, one.about)}" for one in self.violations[:20]]
        return "\n".join([self.summary, f"kept in {self.folder}", *shown])


class Campaign:
    """One daemon in a folder of its own, and the nemesis with it."""

    def __init__(
        self, folder: Path, *, seed: int, server: PostgresServer | None, mebibytes: int = 64
    ) -> None:
        self._folder = folder
        self._seed = seed
        self._server = server
        self._mebibytes = mebibytes
        self._records = folder / "records"
        self._notes = folder / "nemesis.log"
        self._began = 0.0

    def run(self, *, seconds: float, environ: Mapping[str, str] | None = None) -> Outcome:
        """Let the nemesis loose for so long; then heal, and judge."""
        with ExitStack() as ends:
            disks = self._disks(ends)
            service = self._service(ends)
            nemesis = Nemesis(
                service,
                disks=disks,
                server=self._server,
                manual={
                    "records": str(self._records),
                    "seed": self._seed,
                    "schedule": "manual",
                    "longest": 1.0,
                },
                note=self._note,
                environ=environ or {},
            )
            ends.callback(nemesis.cease)
            self._began = _CLOCK.monotonic()
            self._start(service, nemesis)
            self._let_loose(nemesis, seconds=seconds, disks=tuple(sorted(disks)))
            healing = self._heal(service, nemesis)
            history = self._collect(service, nemesis, healing)
        return Outcome(
            seed=self._seed,
            history=history,
            violations=tuple(check(history)),
            deeds=nemesis.deed_count,
            seconds=_CLOCK.monotonic() - self._began,
            seconds_to_settle=healing.seconds,
            folder=self._folder,
        )

    # -- the beginning

    def _disks(self, ends: ExitStack) -> dict[str, Disk]:
        if not can_mount():
            return {}
        disks = {"folders": Disk(self._folder / ".state", mebibytes=self._mebibytes)}
        ends.callback(disks["folders"].close)
        if self._server is None:
            disks["database"] = Disk(self._folder / "db", mebibytes=self._mebibytes)
            ends.callback(disks["database"].close)
        return disks

    def _service(self, ends: ExitStack) -> Service:
        if self._server is None:
            url = f"sqlite:///{self._folder / 'db' / 'schedulerd.db'}"
        else:
            name = self._server.create()
            url = self._server.url(name)
        service = Service(self._folder, url=url, settings="max_running = 24", web="port = 0")
        ends.callback(service.close)
        lay_out(service, self._records, seed=self._seed)
        return service

    def _start(self, service: Service, nemesis: Nemesis) -> None:
        self._until(nemesis, lambda: nemesis.is_up, within=_WELL_AGAIN_SECONDS)
        self._until(nemesis, lambda: service.has_flow("work"), within=30)

    def _let_loose(self, nemesis: Nemesis, *, seconds: float, disks: tuple[str, ...]) -> None:
        began = _CLOCK.monotonic()
        for step in plan(self._seed, seconds=seconds, postgres=self._server is not None, disks=disks):
            self._until(nemesis, partial(_has_come, began + step.at), within=seconds + 600)
            nemesis.do(step.deed)

    # -- the end

    def _heal(self, service: Service, nemesis: Nemesis) -> "Healing":
        """Everything is well again; some more due times come and are met; then nothing is due any more."""
        nemesis.cease()
        complaints = []
        if not self._until(nemesis, lambda: nemesis.is_up, within=_WELL_AGAIN_SECONDS):
            complaints.append("the daemon is not ready again")
        since = _CLOCK.monotonic()
        self._until(nemesis, lambda: _CLOCK.monotonic() - since > _HEALTHY_SECONDS, within=60)
        self._pause_all(service)
        since = _CLOCK.monotonic()
        asked: set[str] = set()

        def is_settled() -> bool:
            unfinished = _unfinished(service)
            for run, flow in unfinished.items():
                if flow == ENDLESS and run not in asked:
                    asked.add(run)
                    nemesis.cancel(run, by_command=False)
            return not unfinished and not service.hooks_due()

        self._until(nemesis, is_settled, within=_SETTLED_SECONDS)
        seconds = _CLOCK.monotonic() - since
        nemesis.finish()
        return Healing(seconds=seconds, complaints=tuple(complaints))

    def _pause_all(self, service: Service) -> None:
        database = service.database()
        with database.write() as tx:
            for schedule in tx.schedules.all():
                tx.schedules.pause(schedule.definition.name, at=_CLOCK.now(), by="campaign", reason="the end")
        database.close()

    def _collect(self, service: Service, nemesis: Nemesis, healing: "Healing") -> History:
        effects, hooks = read_effects(self._records), read_hooks(records_of_hooks(self._records))
        processes = {process for effect in effects for process in effect.processes}
        processes |= {call.process for effect in hooks for call in effect.calls}
        _wait(lambda: not any(map(lives, processes)) and not _folders(service), within=_GONE_SECONDS)
        left, folders = tuple(filter(lives, processes)), _folders(service)
        complaints = [*healing.complaints, *nemesis.complaints]
        if service.stop(signal.SIGTERM, within=30) != 0:
            complaints.append("the daemon did not stop well at the end")
        done = service.command("db", "check")
        if done.returncode != 0:
            complaints.append(f"db check: {done.stdout}{done.stderr}")
        complaints += service.broken_invariants()
        database = service.database()
        schedules, runs, wishes = remembered(database)
        database.close()
        hooks_left = service.hooks_due()
        return History(
            schedules=tuple(schedules),
            runs=tuple(runs),
            effects=tuple(effects),
            hooks=tuple(hooks),
            faults=nemesis.faults,
            limits_seconds=LIMITS_SECONDS,
            hooked=HOOKED,
            retries=RETRIES,
            processes=left,
            folders=folders,
            wishes_left=wishes,
            hooks_left=hooks_left,
            complaints=tuple(complaints),
        )

    # -- waiting

    def _until(self, nemesis: Nemesis, condition: Callable[[], bool], *, within: float) -> bool:
        """Look after the nemesis until the condition is true; False when it is not within so many seconds."""
        pause, deadline = Event(), _CLOCK.monotonic() + within
        while True:
            nemesis.look()
            try:
                if condition():
                    return True
            except SchedulerdError as error:
                self._note(f"  not told: {error}")
            if _CLOCK.monotonic() >= deadline:
                return False
            pause.wait(_LOOK_SECONDS)

    def _note(self, text: str) -> None:
        with open(self._notes, "a") as file:
            file.write(f"{_CLOCK.now():%H:%M:%S.%f} {_CLOCK.monotonic() - self._began:7.2f} {text}\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Healing:
    """How long it took until nothing went on any more, and what went wrong on the way."""

    seconds: float
    complaints: tuple[str, ...]


def _has_come(moment: float) -> bool:
    return _CLOCK.monotonic() >= moment


def _wait(condition: Callable[[], bool], *, within: float) -> None:
    try:
        eventually(condition, within=within)
    except AssertionError:
        return  # what is left is told by the checker


def _unfinished(service: Service) -> dict[str, str]:
    return {str(run.id): run.flow for run in service.runs(RunFilter(states=_UNFINISHED, limit=10_000))}


def _folders(service: Service) -> tuple[str, ...]:
    return tuple(name for parent in ("ready", "runs") for name in sorted(os.listdir(service.state / parent)))


def _story(history: History, about: str) -> str:
    """All that is known of a run."""
    one = next((one for one in history.runs if str(one.run.id) == about), None)
    effect = next((effect for effect in history.effects if effect.run == about), None)
    if one is None:
        return ""
    moves = [
        f"    {move.at:%H:%M:%S.%f} {move.was} > {move.to} by {move.actor}: {move.message}"
        for move in one.moves
    ]
    lines = [f"    {line.at:%H:%M:%S.%f} {line.stream}: {line.message}" for line in one.lines]
    return "\n".join([f"  {one.run}", *moves, *lines, f"  {effect}"])
