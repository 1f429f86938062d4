"""Mails the output of commands whose schedule asks for it, as cron does: by the machine's sendmail, from a thread.

A letter is sent at most once: one that waits when the daemon dies is not sent by the next.
"""

import logging
import queue
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.intakes import Intake
from schedulerd.domain.logs import LogLine, NumberedLine, Stream
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.engine.sendmail import NotMailedError, Send
from schedulerd.errors import SchedulerdError
from schedulerd.scheduler.attempts import Attempt, Letter
from schedulerd.store.database import Database

log = logging.getLogger(__name__)

LONGEST_BODY: Final = 64 * 1024
MOST_LINES: Final = 1_000
MOST_WAITING: Final = 1_000
JOIN_LIMIT_S: Final = 5.0

_LONGEST_SUBJECT: Final = 200
_OUTPUT: Final = (Stream.STDOUT, Stream.STDERR)
_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f-\x9f]+")
# What a letter may not hold: controls other than tab and newline.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_POLICY: Final = default.clone(max_line_length=900)  # longer lines are encoded: a mail may have 998


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who letters are from."""

    user: str
    host: str


def compose(
    letter: Letter, run: Run, lines: Sequence[NumberedLine], *, sender: Sender, now: datetime
) -> EmailMessage | None:
    """The mail about a run that has ended, from the last lines of its log; None where there is nothing to tell.

    There is where the command wrote something, or did not complete.
    """
    said = [one.line.message for one in lines if one.line.stream in _OUTPUT]
    if not said and run.state is RunState.COMPLETED:
        return None
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address("Cron Daemon", username=sender.user)
    mail["To"] = letter.to
    mail["Subject"] = _subject(letter.command, sender)
    mail["Date"] = format_datetime(run.ended_at or now)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Schedulerd-Run"] = str(run.id)
    is_whole = not lines or lines[0].number == 1
    mail.set_content(_body(said, run, is_whole=is_whole))
    return mail


def _subject(command: str, sender: Sender) -> str:
    """Cron's, on one line whatever the command is."""
    on_a_line = _INVISIBLE.sub(" ", command).strip()
    cut = on_a_line[:_LONGEST_SUBJECT] + ("…" if len(on_a_line) > _LONGEST_SUBJECT else "")
    return f"Cron <{sender.user}@{sender.host}> {cut}"


def _body(said: Sequence[str], run: Run, *, is_whole: bool) -> str:
    text = "".join(f"{line}\n" for line in said)
    data = text.encode("utf-8", "replace")
    if len(data) > LONGEST_BODY:
        text, is_whole = data[-LONGEST_BODY:].decode("utf-8", "ignore").partition("\n")[2], False
    if not is_whole:
        text = f"(the end of a longer log; all of it: schedulerd logs {run.selector})\n\n{text}"
    if run.state is not RunState.COMPLETED:
        reason = f": {run.reason}" if run.reason else ""
        text += f"\n-- \n{run.selector} {run.state}{reason}\n"
    return _CONTROLS.sub("\ufffd", text)


class Mailer:
    """Takes letters from the core, and sends them from a thread of its own, one after the other.

    `settled` never waits. `start` and `stop` may be called twice and in any order; a letter that is given while it is
    stopped waits for the next `start`.
    """

    def __init__(self, database: Database, clock: Clock, send: Send, sender: Sender) -> None:
        self._database = database
        self._clock = clock
        self._send = send
        self._sender = sender
        self._waiting: queue.Queue[Letter | None] = queue.Queue(MOST_WAITING)
        self._warned: set[tuple[str, str]] = set()
        self._control = threading.Lock()
        self._thread: threading.Thread | None = None

    def settled(self, attempt: Attempt) -> None:
        """A run has ended: mail what is to be mailed of it."""
        if attempt.letter is None:
            return
        try:
            self._waiting.put_nowait(attempt.letter)
        except queue.Full:
            log.error("mail_lost", extra={"run": attempt.selector, "reason": f"{MOST_WAITING} are waiting"})

    def start(self) -> None:
        """Begin to send, if not yet."""
        with self._control:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mailer", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Send what waits, for a while, and then no more. What is left is told in the log."""
        with self._control:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            try:
                self._waiting.put(None, timeout=JOIN_LIMIT_S)
                thread.join(JOIN_LIMIT_S)
            except queue.Full:
                pass
            if thread.is_alive():
                log.error(
                    "mailer_outlived_stop", extra={"limit_s": JOIN_LIMIT_S, "left": self._waiting.qsize()}
                )

    def _work(self) -> None:
        while (letter := self._waiting.get()) is not None:
            try:
                self._deliver(letter)
            except Exception:  # border: around one letter
                log.exception("mail_failed", extra={"file": letter.file})

    def _deliver(self, letter: Letter) -> None:
        with self._database.read() as tx:
            run = tx.runs.by_key(letter.run)
            lines = tx.logs.lines(letter.run, limit=MOST_LINES, tail=True)
        mail = compose(letter, run, lines, sender=self._sender, now=self._clock.now())
        if mail is None:
            return
        try:
            self._send(bytes(mail))
        except NotMailedError as error:
            self._note_failure(letter, run, str(error))
        else:
            log.info("mail_sent", extra={"run": run.selector, "to": letter.to})

    def _note_failure(self, letter: Letter, run: Run, reason: str) -> None:
        """Say so in the log of the run, and in ours: once for a file and a reason, there may be a letter each minute."""
        if (letter.file, reason) not in self._warned:
            self._warned.add((letter.file, reason))
            log.warning("not_mailed", extra={"run": run.selector, "file": letter.file, "reason": reason})
        remark = LogLine(
            at=self._clock.now(),
            level=logging.WARNING,
            message=f"its output was not mailed to {letter.to}: {reason}",
            stream=Stream.SYSTEM,
            logger="schedulerd",
        )
        try:
            with self._database.write() as tx:
                tx.intake.take([Intake(run=run.key, was=run.position, now=run.position, lines=(remark,))])
        except SchedulerdError as error:
            log.warning("mail_remark_failed", extra={"run": run.selector, "reason": str(error)})
