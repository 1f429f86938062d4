"""The attempts that are going on under this daemon."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schedulerd.domain.flows import FlowKind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.redaction import Redactor
from schedulerd.domain.retrying import NEVER, RetryPolicy
from schedulerd.domain.runs import Position, Run
from schedulerd.domain.states import RunState
from schedulerd.domain.surroundings import Surroundings
from schedulerd.engine.leftovers import Farewell
from schedulerd.scheduler.settlement import NO_LIMITS, LastWord


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is to be mailed of a run when it has ended: the output of `command`, to the addresses `to`.

    `file` is where that is asked for.
    """

    run: RunKey
    to: str
    command: str
    file: str


@dataclass(kw_only=True, slots=True)
class Attempt:
    """One live run as the core follows it, in its attempt of this `number`, from 1.

    What has been committed, not what has been read, is in it.

    `asked`: our spawner was asked for it and has not answered. `ours`: our spawner has taken it. `dead`: its process is
    known to have ended, with all that it left behind, so that its files will not grow. `must_end`: the daemon stops and ends it.
    `must_kill`: somebody wants it ended without any grace. `kill_at`: for an adopted run that was told to end;
    `deadline`: when an adopted run is out of time, where no spawner sees to it;
    `waited_since`: since when it is dead without its spawner having said how. All three in monotonic seconds.
    `farewell`: to what it left behind, when no spawner sees to that. `punched`: up to where its files lie on disk no more.
    `letter`: what is to be mailed of it. `has_hooks`: when it ends, hooks may be due.
    `letter`: what is to be mailed of it. `redactor`: the secrets that it was given, which its output is told without.
    """

    run: RunKey
    selector: str
    folder: str
    kind: FlowKind
    state: RunState
    position: Position
    boot_id: str | None
    pid: int | None = None
    number: int = 1
    retrying: RetryPolicy = NEVER
    timeout: timedelta | None = None
    surroundings: Surroundings = NO_LIMITS
    started_at: datetime | None = None
    last_word: LastWord | None = None
    asked: bool = False
    ours: bool = False
    adopted: bool = False
    dead: bool = False
    must_end: bool = False
    must_kill: bool = False
    stop_sent: bool = False
    kill_sent: bool = False
    kill_at: float | None = None
    deadline: float | None = None
    waited_since: float | None = None
    farewell: Farewell | None = None
    punched: Position = field(default_factory=Position)
    letter: Letter | None = None
    has_hooks: bool = False
    redactor: Redactor = field(default_factory=Redactor, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        kind: FlowKind,
        timeout: timedelta | None,
        retrying: RetryPolicy = NEVER,
        surroundings: Surroundings = NO_LIMITS,
        letter: Letter | None = None,
    ) -> "Attempt":
        """The attempt of a claimed or recovered run."""
        return cls(
            run=run.key,
            selector=run.selector,
            folder=run.folder,
            kind=kind,
            state=run.state,
            position=run.position,
            boot_id=run.boot_id,
            pid=run.pid,
            number=run.attempt,
            retrying=retrying,
            timeout=timeout,
            surroundings=surroundings,
            started_at=run.started_at,
            letter=letter,
            has_hooks=bool(run.hooks),
        )


@dataclass(kw_only=True, slots=True)
class Attempts:
    """The attempts by the name of their folder."""

    _by_folder: dict[str, Attempt] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._by_folder.values()))

    def __len__(self) -> int:
        return len(self._by_folder)

    def get(self, folder: str) -> Attempt | None:
        """The attempt whose folder this is."""
        return self._by_folder.get(folder)

    def add(self, attempt: Attempt) -> None:
        """Follow one more."""
        self._by_folder[attempt.folder] = attempt

    def remove(self, attempt: Attempt) -> None:
        """Follow it no more."""
        self._by_folder.pop(attempt.folder, None)
