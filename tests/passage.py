"""A real daemon under a moved clock, led from one due time to the next, and what came of it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import FINAL, RunState
from schedulerd.engine.doorbell import WOKEN, Doorbell
from schedulerd.store.database import Database
from tests.clock_shim import MovedClock
from tests.service import Service
from tests.told import told
from tests.waiting import eventually

_BEFORE: Final = timedelta(milliseconds=100)
_COUNT: Final = re.compile(r"([0-9]+) due times")
_NOT_FINAL: Final = frozenset(RunState) - FINAL

RECORD: Final = 'echo "$SCHEDULERD_RUN_ID $SCHEDULERD_DUE_AT" >> "$PWD/record"'
"""A command that notes, apart from schedulerd, that it ran; `>>` appends with O_APPEND."""


Listed = dict[str, Any]
"""A run in JSON."""


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class Outcome:
    """What became, or would become, of a due time, or of a span of them; `reason` is empty where it ran."""

    schedule: str
    due_at: datetime
    reason: str
    count: int = 1


class Passage:
    """A daemon that lives by a moved clock. `record` is what its commands noted of themselves."""

    def __init__(
        self, folder: Path, clock: MovedClock, *, url: str | None = None, web: str = "enabled = false"
    ) -> None:
        self.clock: Final = clock
        self.service: Final = Service(folder, url=url, web=web)
        self.record: Final = folder / "record"
        self._database: Database | None = None

    def begin(self, at: datetime, schedules: Sequence[str]) -> None:
        """Start the daemon at this moment, with these entries of a schedule file, and wait until all are in force."""
        self.clock.set(at)
        self.service.schedule("all.toml", "\n".join(f"[[schedule]]\n{entry}\n" for entry in schedules))
        self.start()
        eventually(lambda: len(self._in_force()) == len(schedules), within=20)

    def start(self) -> None:
        """Start the daemon, again."""
        self.service.start(environ=self.clock.environment)

    def _in_force(self) -> Sequence[object]:
        with self.database.read() as tx:
            return tx.schedules.all()

    @property
    def database(self) -> Database:
        """A connection of our own."""
        if self._database is None:
            self._database = self.service.database()
        return self._database

    # -- going along ------------------------------------------------------------------------------------------------

    def lead_to(self, end: datetime, *, but: str = "") -> None:
        """Let the clock go over each due time before `end`, and skip the time in between; then show `end`.

        Before it goes on, all runs have ended but those of the schedule `but`.
        """
        while (due := self.next_due()) is not None and due < end:
            if due - self.clock.now() > _BEFORE:
                self.clock.set(due - _BEFORE)
                self._ring()  # else it takes up to a second until the daemon looks at the clock
            eventually(lambda due=due: self._is_over(due), within=20)  # type: ignore[misc]
            eventually(lambda: not self._unfinished(but), within=20)
        self.clock.set(end)

    def _ring(self) -> None:
        bell = Doorbell(self.service.state)
        bell.ring(WOKEN)
        bell.close()

    def next_due(self) -> datetime | None:
        """When the daemon is to decide something next."""
        with self.database.read() as tx:
            return tx.schedules.next_due()

    def _is_over(self, due: datetime) -> bool:
        ahead = self.next_due()
        return ahead is None or ahead > due

    def _unfinished(self, but: str) -> list[Run]:
        found, now = self._listed(RunFilter(states=_NOT_FINAL, limit=1_000)), self.clock.now()
        return [run for run in found if run.schedule != but and run.due_at <= now]

    def _listed(self, wanted: RunFilter) -> list[Run]:
        with self.database.read() as tx:
            return told(tx, tx.runs.list(wanted), now=self.clock.now())

    def jump(self, by: timedelta) -> datetime:
        """Put the clock forward or back while the daemon does not look; the moment that it then shows."""
        self.clock.jump(by)
        return self.clock.now()

    def wait_until_running(self, schedule: str) -> None:
        """Wait until a run of this schedule is running."""
        running = RunFilter(schedule=schedule, states=frozenset({RunState.RUNNING}))
        eventually(lambda: self._listed(running), within=20)

    def wait_until_decided(self) -> None:
        """Wait until the daemon has decided all that is due by now, and all runs of it have ended."""
        now = self.clock.now()
        eventually(lambda: self._is_over(now), within=20)
        eventually(lambda: not self._unfinished(""), within=20)

    def wait_for_a_look(self, at: datetime) -> None:
        """Have the clock show this moment, and wait until the daemon has looked at it."""
        self.clock.set(at)
        done = self.service.command("reload")  # which the core answers in a turn in which it has ticked
        assert done.returncode == 0, done.stderr

    # -- what came of it ----------------------------------------------------------------------------------------------

    def runs(self) -> list[Listed]:
        """All runs, as the command line lists them."""
        listed: list[Listed] = self.service.cli("runs", "list", "-n", "10000")
        return listed

    def foreseen(self, start: datetime, end: datetime, *down: tuple[datetime, datetime]) -> list[Outcome]:
        """What `simulate` says for this stretch; not what would be told only at its end."""
        words = [word for one in down for word in ("--down", "..".join(map(_text, one)))]
        stretch = ("--from", _text(start), "--to", _text(end), "-n", "0")
        said = self.service.cli("simulate", *stretch, *words)
        return sorted(
            Outcome(
                schedule=one["schedule"],
                due_at=datetime.fromisoformat(one["due_at"]),
                reason=one["reason"],
                count=one["count"],
            )
            for one in said
            if datetime.fromisoformat(one["at"]) < end
        )

    def found(self) -> list[Run]:
        """All runs, as the database has them."""
        return self._listed(RunFilter(limit=10_000))

    def slots(self) -> list[tuple[str, str]]:
        """The slot of each run that has one, with its schedule."""
        return sorted((run.schedule or "", run.slot) for run in self.found() if run.slot is not None)

    def recorded(self) -> list[tuple[str, datetime]]:
        """The run and the due time of each command that ran, by its own record."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return sorted((run, datetime.fromisoformat(due)) for run, due in map(str.split, lines))

    # -- the end ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is not None:
            self._database.close()
        self.service.close()


def outcomes(runs: Iterable[Listed]) -> list[Outcome]:
    """What became of each due time, by schedule and due time."""
    return sorted(map(_outcome, runs))


def _outcome(run: Listed) -> Outcome:
    is_skipped = run["state"] == "skipped"
    count = _COUNT.search(run["reason"]) if is_skipped else None
    assert is_skipped or run["state"] == "completed", run
    return Outcome(
        schedule=run["schedule"],
        due_at=datetime.fromisoformat(run["due_at"]),
        reason=run["reason"].partition(":")[0] if is_skipped else "",
        count=int(count[1]) if count else 1,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
