"""What has been read of the files of an attempt, and what it comes to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from schedulerd.clock import moment
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine, Stream
from schedulerd.domain.runs import Move, Position
from schedulerd.domain.sizes import size_text
from schedulerd.domain.states import RunState, may_move
from schedulerd.engine import folders
from schedulerd.engine.journal import Piece, is_log_line, parse, read_piece, read_tail, skip_piece
from schedulerd.engine.notes import Exit, began_at_us, read_exit, read_word
from schedulerd.scheduler.attempts import Attempt
from schedulerd.scheduler.records import Said, output_lines, read_records
from schedulerd.scheduler.settlement import LastWord, Verdict, settle

_OUTPUT_LINE: Final = 64 * 1024
_ACTOR: Final = "run"
_WARNING: Final = 30


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


def read_attempt(attempt: Attempt, path: Path | str, *, now: datetime, max_log: int) -> Reading:
    """Read what is new in an attempt's files, and settle it when it is dead and all is read. Changes nothing.

    Of a run that has written more than `max_log` bytes no further lines are kept, and the log says so.
    """
    was = attempt.position
    is_full = was.total >= max_log
    pieces = _pieces(attempt, path, is_full=is_full)
    position = Position(journal=pieces[0].offset, stdout=pieces[1].offset, stderr=pieces[2].offset)
    lines = tuple(line for line in pieces[0].lines if not (is_full and is_log_line(line)))
    said = read_records(parse(lines), now=now)
    if is_full:
        said.lines.clear()  # damaged ones
    for piece, stream in ((pieces[1], Stream.STDOUT), (pieces[2], Stream.STDERR)):
        said.lines += output_lines(piece.lines, stream, now=now, redact=attempt.redactor.redact)
    if was.total < max_log <= position.total:
        said.lines.append(_remark(f"the log is full: more than {size_text(max_log)} are not kept", now=now))
    return _reading(attempt, path, said, position=position, pieces=pieces, now=now, max_log=max_log)


def _pieces(attempt: Attempt, path: Path | str, *, is_full: bool) -> list[Piece]:
    """What is new in its journal and its two outputs; of the outputs nothing, where the log is full."""
    was = attempt.position
    outputs = ((f"{path}/{folders.STDOUT}", was.stdout), (f"{path}/{folders.STDERR}", was.stderr))
    return [
        read_piece(f"{path}/{folders.JOURNAL}", was.journal, to_the_end=attempt.dead),
        *(
            skip_piece(file, offset)
            if is_full
            else read_piece(file, offset, to_the_end=attempt.dead, longest=_OUTPUT_LINE)
            for file, offset in outputs
        ),
    ]


def _reading(
    attempt: Attempt,
    path: Path | str,
    said: Said,
    *,
    position: Position,
    pieces: list[Piece],
    now: datetime,
    max_log: int,
) -> Reading:
    more = any(piece.more for piece in pieces)
    last_word = said.last_word.after(attempt.last_word) if said.last_word else attempt.last_word
    ended = _exit(path, now) if attempt.dead else None
    verdict = None
    if attempt.dead and not more:
        # Another daemon, or a commit that seemed to fail, may have taken the last record: it is still in the file.
        last_word = (
            last_word or read_records(parse(read_tail(f"{path}/{folders.JOURNAL}")), now=now).last_word
        )
        verdict = settle(
            was=attempt.state,
            kind=attempt.kind,
            last_word=last_word,
            ended=ended,
            limits=attempt.surroundings,
        )
        said.lines += _last_remarks(ended, position.total - max_log, now=now)
        if attempt.state is RunState.PENDING and said.started_at is None:
            said.started_at = _began(path, no_later=_end(said, ended, now))
    retry_at = None
    if verdict is not None and (delay := attempt.retrying.after(attempt.number, verdict.state)) is not None:
        verdict, retry_at = _tried_again(verdict, attempt, delay), now + delay
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
            attempts=tuple(said.attempts),
            subflows=tuple(said.subflows),
            lines=tuple(said.lines),
            result_preview=said.result_preview,
            retry_at=retry_at,
            results=tuple(said.results),
            result_kept=said.result_kept,
            questions=tuple(said.questions),
            freed=tuple(said.freed),
            artifacts=tuple(said.artifacts),
            events=tuple(said.events),
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


def _tried_again(verdict: Verdict, attempt: Attempt, delay: timedelta) -> Verdict:
    """The verdict on an attempt that is not the last."""
    reason = attempt.retrying.reason(attempt.number, delay, verdict.state, verdict.reason)
    return replace(verdict, state=RunState.RETRYING, reason=reason)


def _exit(path: Path | str, now: datetime) -> Exit | None:
    """How its process ended; whoever waited for it need not be who ended it, which the word in its folder tells."""
    ended, word = read_exit(path), read_word(path)
    if word is None or (ended is not None and ended.stopped is not None):
        return ended
    return replace(ended or Exit(ended_us=round(now.timestamp() * 1e6)), stopped=word)


def _began(path: Path | str, *, no_later: datetime) -> datetime | None:
    """When its process began, by its folder: for a run whose first record was lost, on a full disk perhaps."""
    began = began_at_us(path)
    return None if began is None else min(moment(began), no_later)


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
        if not may_move(state, verdict.state):  # nothing tells when it began
            moves.append(Move(at=at, was=state, to=RunState.RUNNING, actor=_ACTOR))
            state = RunState.RUNNING
        message = verdict.reason or verdict.manner
        moves.append(Move(at=at, was=state, to=verdict.state, actor=_ACTOR, message=message))
        state = verdict.state
    return tuple(moves), state


def _last_remarks(ended: Exit | None, beyond: int, *, now: datetime) -> list[LogLine]:
    """What there is to say of a run that has ended; `beyond` is by how many bytes it wrote more than its log may have."""
    remarks = []
    if beyond > 0:
        remarks.append(_remark(f"the log was full: about {size_text(beyond)} were not kept", now=now))
    if ended is not None and ended.left:
        text = f"the run left {ended.left} process(es) or group(s) behind; they were ended"
        remarks.append(_remark(text, now=now))
    return remarks


def _remark(text: str, *, now: datetime) -> LogLine:
    return LogLine(at=now, level=_WARNING, message=text, stream=Stream.SYSTEM, logger="schedulerd")
