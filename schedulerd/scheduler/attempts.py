"""The attempts that are going on under this daemon, and what has been read of their files."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from schedulerd.domain.flows import FlowKind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Move, Position, Run
from schedulerd.domain.states import RunState, may_move
from schedulerd.domain.surroundings import Surroundings
from schedulerd.engine import folders
from schedulerd.engine.folders import Exit, read_exit
from schedulerd.engine.journal import Piece, parse, read_piece, read_tail
from schedulerd.engine.leftovers import Farewell
from schedulerd.scheduler.records import Said, moment, output_lines, read_records
from schedulerd.scheduler.settlement import NO_LIMITS, LastWord, Verdict, settle

_OUTPUT_LINE = 64 * 1024
_ACTOR = "run"


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
    """One live run as the core follows it. What has been committed, not what has been read, is in it.

    `asked`: our spawner was asked for it and has not answered. `ours`: our spawner has taken it. `dead`: its process is
    known to have ended, with all that it left behind, so that its files will not grow. `must_end`: the daemon stops and ends it. `kill_at`: for an adopted run that was told to end;
    `deadline`: when an adopted run is out of time, where no spawner sees to it; `stopped`: why we ended it ourselves;
    `waited_since`: since when it is dead without its spawner having said how. All three in monotonic seconds.
    `farewell`: to what it left behind, when no spawner sees to that. `letter`: what is to be mailed of it.
    """

    run: RunKey
    selector: str
    folder: str
    kind: FlowKind
    state: RunState
    position: Position
    boot_id: str | None
    pid: int | None = None
    timeout: timedelta | None = None
    surroundings: Surroundings = NO_LIMITS
    started_at: datetime | None = None
    last_word: LastWord | None = None
    asked: bool = False
    ours: bool = False
    adopted: bool = False
    dead: bool = False
    must_end: bool = False
    stop_sent: bool = False
    kill_at: float | None = None
    deadline: float | None = None
    stopped: str | None = None
    waited_since: float | None = None
    farewell: Farewell | None = None
    letter: Letter | None = None

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        kind: FlowKind,
        timeout: timedelta | None,
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
            timeout=timeout,
            surroundings=surroundings,
            started_at=run.started_at,
            letter=letter,
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a look at an attempt's files found: the intake to commit, and what is true once it has committed."""

    attempt: Attempt
    intake: Intake | None
    state: RunState
    position: Position
    last_word: LastWord | None
    more: bool
    settled: bool
    reason: str


def read_attempt(attempt: Attempt, path: Path, *, now: datetime) -> Reading:
    """Read what is new in an attempt's files, and settle it when it is dead and all is read. Changes nothing."""
    was = attempt.position
    journal = read_piece(path / folders.JOURNAL, was.journal, to_the_end=attempt.dead)
    outputs = [
        read_piece(path / name, offset, to_the_end=attempt.dead, longest=_OUTPUT_LINE)
        for name, offset in ((folders.STDOUT, was.stdout), (folders.STDERR, was.stderr))
    ]
    said = read_records(parse(journal.lines), now=now)
    said.lines += output_lines(outputs[0].lines, Stream.STDOUT, now=now)
    said.lines += output_lines(outputs[1].lines, Stream.STDERR, now=now)
    position = Position(journal=journal.offset, stdout=outputs[0].offset, stderr=outputs[1].offset)
    return _reading(attempt, path, said, position=position, pieces=[journal, *outputs], now=now)


def _reading(
    attempt: Attempt, path: Path, said: Said, *, position: Position, pieces: list[Piece], now: datetime
) -> Reading:
    more = any(piece.more for piece in pieces)
    last_word = said.last_word.after(attempt.last_word) if said.last_word else attempt.last_word
    ended = _exit(attempt, path, now) if attempt.dead else None
    verdict = None
    if attempt.dead and not more:
        # Another daemon, or a commit that seemed to fail, may have taken the last record: it is still in the file.
        last_word = last_word or read_records(parse(read_tail(path / folders.JOURNAL)), now=now).last_word
        verdict = settle(
            was=attempt.state,
            kind=attempt.kind,
            last_word=last_word,
            ended=ended,
            limits=attempt.surroundings,
        )
        said.lines += _remarks(ended, now=now)
    moves, state = _moves(attempt.state, said, verdict, at=_end(said, ended, now))
    intake = None
    if moves or said.lines or said.tasks or position != attempt.position:
        intake = Intake(
            run=attempt.run,
            was=attempt.position,
            now=position,
            moves=moves,
            pid=said.pid,
            started_at=said.started_at,
            ended_at=_end(said, ended, now) if verdict else None,
            failure=verdict.failure if verdict else None,
            reason=verdict.reason if verdict else "",
            cpu_ms=ended.cpu_ms if ended else None,
            max_rss_bytes=ended.max_rss_bytes if ended else None,
            tasks=tuple(said.tasks),
            lines=tuple(said.lines),
            result_preview=said.result_preview,
        )
    return Reading(
        attempt=attempt,
        intake=intake,
        state=state,
        position=position,
        last_word=last_word,
        more=more,
        settled=verdict is not None,
        reason=verdict.reason if verdict else "",
    )


def _exit(attempt: Attempt, path: Path, now: datetime) -> Exit | None:
    """How its process ended; what we ended ourselves, for want of its spawner, did so for our reason."""
    ended = read_exit(path)
    if attempt.stopped is None or (ended is not None and ended.stopped is not None):
        return ended
    return replace(ended or Exit(ended_us=round(now.timestamp() * 1e6)), stopped=attempt.stopped)


def _end(said: Said, ended: Exit | None, now: datetime) -> datetime:
    if ended is None or (said.ended_at is not None and ended.is_unknown):
        return said.ended_at or now
    return moment(ended.ended_us)


def _moves(
    was: RunState, said: Said, verdict: Verdict | None, *, at: datetime
) -> tuple[tuple[Move, ...], RunState]:
    """The moves that the run makes by what was said and decided, and the state after them."""
    moves, state = [], was
    if said.started_at is not None and state is RunState.PENDING:
        moves.append(Move(at=said.started_at, was=state, to=RunState.RUNNING, actor=_ACTOR))
        state = RunState.RUNNING
    if verdict is not None:
        if not may_move(state, verdict.state):  # its first record was lost, on a full disk perhaps
            moves.append(Move(at=at, was=state, to=RunState.RUNNING, actor=_ACTOR))
            state = RunState.RUNNING
        message = verdict.reason or verdict.manner
        moves.append(Move(at=at, was=state, to=verdict.state, actor=_ACTOR, message=message))
        state = verdict.state
    return tuple(moves), state


def _remarks(ended: Exit | None, *, now: datetime) -> list[LogLine]:
    if ended is None or not ended.left:
        return []
    text = f"the run left {ended.left} process(es) or group(s) behind; they were ended"
    return [LogLine(at=now, level=30, message=text, stream=Stream.SYSTEM, logger="schedulerd")]
