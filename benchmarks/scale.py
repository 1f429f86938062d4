"""Very many schedules: until they are in force, until an edit of one file is, and what they cost while nothing is due.

They lie in files of a thousand, and have forty thousand different expressions; each is due once a month.
"""

import os
import time
from collections.abc import Iterator
from statistics import quantiles
from threading import Event
from typing import Final

from benchmarks.daemons import Cpu, connect, cpu_of, daemon
from benchmarks.figures import Figure
from benchmarks.limits import INTERPRETER_MS, Interpreters
from benchmarks.sizes import Size
from schedulerd.clock import SystemClock
from tests.service import Service, pss_kib
from tests.waiting import eventually

IN_A_FILE: Final = 1_000
FEW: Final = 10
EACH_SECOND: Final = 10
EACH_MINUTE: Final = 1_000
_FLOWS: Final = {"nothing": "from schedulerd import flow\n\n@flow\ndef nothing(number: int = 0):\n    pass\n"}
_SETTINGS: Final = 'max_running = 64\ntimezone = "UTC"'
_A_MINUTE: Final = 60.0


def cost_of_scale(size: Size) -> list[Figure]:
    """Of 100,000 schedules, and of a thousand that are due each minute."""
    many = size.pick(full=100_000, small=2_000)
    with daemon(_FLOWS, settings=_SETTINGS) as service:
        found = _Many(service, many, size).figures()
    return found if size is Size.SMALL else [*found, _each_minute()]


class _Many:
    """A daemon to which very many schedules come."""

    def __init__(self, service: Service, many: int, size: Size) -> None:
        self._service: Final = service
        self._many: Final = many
        self._size: Final = size
        self._bare: Final = Interpreters()

    def figures(self) -> list[Figure]:
        """One after the other, of the same daemon."""
        self._write("few.toml", range(-FEW, 0))
        eventually(lambda: _in_force(self._service) == FEW, within=60)
        before = self._settled_pss_kib() if self._size is Size.FULL else 0
        self._bare.start()
        found = [self._load(), self._edit(in_place=True), self._edit(in_place=False)]
        self._bare.start()
        if self._size is Size.FULL:
            found += [*self._rest(before)]
        return [*found, self._ticks()]

    def _load(self) -> Figure:
        began = time.monotonic()
        for first in range(0, self._many, IN_A_FILE):
            self._write(_name_of(first), range(first, first + IN_A_FILE))
        eventually(lambda: _in_force(self._service) == self._many + FEW, within=300, every=0.05)
        seconds = time.monotonic() - began
        # of few, most is the half second in which files have to be at rest
        allowed = self._size.pick(full=20.0, small=2.0)
        return self._wall("written until in force", seconds, allowed)

    def _edit(self, *, in_place: bool) -> Figure:
        """Of one entry of a file in the middle; or of its first line too, which moves all others."""
        first = self._many // IN_A_FILE // 2 * IN_A_FILE
        edited = first + IN_A_FILE // 2
        expression = "59 23 31 12 *" if in_place else "58 23 31 12 *"
        began = time.monotonic()
        head = "" if in_place else "# a comment\n"
        self._write(_name_of(first), range(first, first + IN_A_FILE), head=head, edited={edited: expression})
        eventually(lambda: expression in _definition(self._service, edited), within=60, every=0.01)
        what = "edit of one until in force" if in_place else "edit that moves all of a file"
        return self._wall(what, time.monotonic() - began, 1.0)

    def _rest(self, before: int) -> Iterator[Figure]:
        extra = (self._settled_pss_kib() - before) / 1_024
        yield self._figure("extra memory of the daemon", extra, "MiB", 100)
        began = cpu_of(self._service.pid)[0]
        Event().wait(_A_MINUTE / 2)
        used = (cpu_of(self._service.pid)[0] - began) / (_A_MINUTE / 2 * 1_000)
        yield self._figure("CPU while nothing is due", used * 100, "% core", 0.5)

    def _ticks(self) -> Figure:
        seconds = self._size.pick(full=30, small=4)
        self._service.schedule(
            "seconds.toml", "".join(_every_second(number) for number in range(EACH_SECOND))
        )
        eventually(lambda: _in_force(self._service) == self._many + FEW + EACH_SECOND, within=60)
        lags = list(_lags(self._service, seconds))
        p99 = quantiles(lags, n=100, method="inclusive")[98]
        return self._wall(f"due to decided, {EACH_SECOND} a second, p99", p99, 0.020)

    def _settled_pss_kib(self) -> int:
        """When what was needed for a moment has been given back."""
        Event().wait(3)
        return pss_kib(self._service.pid)

    def _write(
        self, name: str, numbers: range, *, head: str = "", edited: dict[int, str] | None = None
    ) -> None:
        text = head + "".join(_monthly(number, (edited or {}).get(number)) for number in numbers)
        draft = self._service.folder / name
        draft.write_text(text)
        os.replace(draft, self._service.schedules / name)

    def _wall(self, what: str, seconds: float, allowed: float) -> Figure:
        return Figure(
            benchmark="scale",
            what=f"{self._many:,}: {what}",
            value=seconds * 1_000,
            unit="ms",
            limit=self._bare.wall,
            target=allowed * 1_000 / INTERPRETER_MS,
        )

    def _figure(self, what: str, value: float, unit: str, target: float) -> Figure:
        return Figure(
            benchmark="scale", what=f"{self._many:,}: {what}", value=value, unit=unit, target=target
        )


def _each_minute() -> Figure:
    """What deciding and starting costs, apart from the runs themselves."""
    with daemon(_FLOWS, settings=_SETTINGS) as service:
        minutely = "".join(_entry(f"minutely-{number}", number, "* * * * *") for number in range(EACH_MINUTE))
        service.schedule("minutely.toml", minutely)
        eventually(lambda: _completed(service) == EACH_MINUTE, within=120, every=0.5)
        before = Cpu.of(service)
        eventually(lambda: _completed(service) == 3 * EACH_MINUTE, within=240, every=0.5)
        used = Cpu.of(service).since(before, runs=2)
    return Figure(
        benchmark="scale",
        what=f"{EACH_MINUTE:,} every minute: daemon and spawner",
        value=(used.daemon_ms + used.spawner_ms) / (_A_MINUTE * 1_000) * 100,
        unit="% core",
        target=5,
        details={"daemon_ms": used.daemon_ms / EACH_MINUTE, "spawner_ms": used.spawner_ms / EACH_MINUTE},
    )


def _lags(service: Service, seconds: int) -> Iterator[float]:
    """For so many seconds, how long after its due time each run was in the database."""
    connection = connect(service)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
    pause, until = Event(), time.monotonic() + seconds
    while time.monotonic() < until:
        pause.wait(0.001)
        now = SystemClock().now()
        for key, due_us in connection.execute(
            "SELECT id, due_at FROM runs WHERE id > ? ORDER BY id", (last,)
        ):
            last = key
            yield now.timestamp() - due_us / 1_000_000
    connection.close()


def _name_of(first: int) -> str:
    return f"file-{first // IN_A_FILE:04}.toml"


def _monthly(number: int, edited: str | None) -> str:
    expression = edited or f"{number % 60} {number // 60 % 24} {number // 1_440 % 28 + 1} * *"
    return _entry(f"monthly-{number}", number, expression)


def _entry(name: str, number: int, cron: str) -> str:
    return f'[[schedule]]\nname = "{name}"\nflow = "nothing"\nparameters = {{ number = {number} }}\ncron = "{cron}"\n\n'


def _every_second(number: int) -> str:
    """Each a part of a second after the one before, so that a tick that was late is one of many."""
    anchor = f"2026-01-01T00:00:00.{number * 1_000_000 // EACH_SECOND:06}"
    return f'[[schedule]]\nname = "second-{number}"\nflow = "nothing"\nevery = "1s"\noverlap = "allow"\nanchor = "{anchor}"\n'


def _in_force(service: Service) -> int:
    return _ask(service, "SELECT count(*) FROM schedules WHERE removed_at IS NULL")


def _completed(service: Service) -> int:
    return _ask(service, "SELECT count(*) FROM runs WHERE state = 'completed'")


def _ask(service: Service, query: str) -> int:
    connection = connect(service)
    (answer,) = connection.execute(query).fetchone()
    connection.close()
    return int(answer)


def _definition(service: Service, number: int) -> str:
    connection = connect(service)
    query = "SELECT definition FROM schedules WHERE name = ?"
    (text,) = connection.execute(query, (f"monthly-{number}",)).fetchone()
    connection.close()
    return str(text)
