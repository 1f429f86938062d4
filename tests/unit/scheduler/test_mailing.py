"""What is mailed of a run, and how letters get from the core to sendmail."""

import email
import os
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.logs import LogLine, NumberedLine, Stream
from schedulerd.domain.states import RunState
from schedulerd.engine.processes import reap_strangers
from schedulerd.engine.sendmail import NotMailedError, by_sendmail
from schedulerd.scheduler.attempts import Letter
from schedulerd.scheduler.mailing import (
    LONGEST_BODY,
    MOST_WAITING,
    Mailer,
    Sender,
    compose,
)
from schedulerd.store.database import Database
from tests.builders import NOW, a_run
from tests.fakes import FakeClock
from tests.service import process_state
from tests.unit.scheduler.scenes import World, a_command
from tests.waiting import eventually

SENDER = Sender(user="kim", host="box")
LETTER = Letter(run=RunKey(1), to="kim, lee@example.org", command="backup --full", file="a.crontab")


def lines(*texts: str, stream: Stream = Stream.STDOUT, first: int = 1) -> list[NumberedLine]:
    return [
        NumberedLine(number=number, line=LogLine(at=NOW, level=20, message=text, stream=stream))
        for number, text in enumerate(texts, start=first)
    ]


def composed(said: list[NumberedLine], *, letter: Letter = LETTER, **changes: Any) -> EmailMessage | None:
    """The mail as its reader gets it."""
    run = a_run(**{"state": RunState.COMPLETED, "flow": "a:backup", "number": 7, "ended_at": NOW} | changes)
    mail = compose(letter, run, said, sender=SENDER, now=NOW + timedelta(hours=1))
    return None if mail is None else email.message_from_bytes(bytes(mail), policy=default)


def mailed(said: list[NumberedLine], **changes: Any) -> EmailMessage:
    mail = composed(said, **changes)
    assert mail is not None
    return mail


def test_output_is_mailed_with_crons_subject() -> None:
    mail = mailed(lines("one", "두 번째"))

    assert str(mail["Subject"]) == "Cron <kim@box> backup --full"
    assert str(mail["To"]) == "kim, lee@example.org"
    assert str(mail["From"]) == "Cron Daemon <kim>"
    assert str(mail["Date"]) == "Sun, 22 Nov 2026 06:00:00 +0000"
    assert mail.get_content() == "one\n두 번째\n"


def test_a_run_that_completed_in_silence_is_not_mailed() -> None:
    assert composed([]) is None
    assert composed(lines("it left 1 process behind", stream=Stream.SYSTEM)) is None


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CRASHED, RunState.CANCELLED, RunState.TIMED_OUT])
def test_a_run_that_did_not_complete_is_mailed_whatever_it_said(state: RunState) -> None:
    mail = mailed([], state=state, reason="exit status 3")

    assert mail.get_content() == f"\n-- \na:backup#7 {state}: exit status 3\n"


def test_of_a_long_log_the_end_is_mailed_with_a_note() -> None:
    mail = mailed(lines(*(f"{number} " + "x" * 990 for number in range(100))))

    text = mail.get_content()
    assert text.startswith("(the end of a longer log; all of it: schedulerd logs a:backup#7)\n\n")
    assert "99 xxx" in text
    assert LONGEST_BODY - 1_000 < len(text) < LONGEST_BODY + 100


def test_that_lines_were_left_out_before_is_noted_too() -> None:
    assert "the end of a longer log" in mailed(lines("last", first=5_000)).get_content()


@pytest.mark.parametrize(
    ("command", "subject"),
    [
        ("a\nBcc: lee@example.org\n\nb", "Cron <kim@box> a Bcc: lee@example.org b"),
        ("echo 한국", "Cron <kim@box> echo 한국"),
        ("x" * 300, "Cron <kim@box> " + "x" * 200 + "…"),
    ],
    ids=["several lines", "not ASCII", "long"],
)
def test_a_command_stays_within_the_subject(command: str, subject: str) -> None:
    mail = mailed(lines("x"), letter=Letter(run=RunKey(1), to="kim", command=command, file="a"))

    assert (str(mail["Subject"]), mail["Bcc"]) == (subject, None)
    assert mail.get_content() == "x\n"


def test_control_characters_of_a_command_do_not_reach_the_reader() -> None:
    assert mailed(lines("a\x1b[2Jb\rc\td")).get_content() == "a\ufffd[2Jb\ufffdc\td\n"


# -- from the core to sendmail --------------------------------------------------------------------------------------


class Post:
    """A sendmail that keeps what it is given; it may be told to fail, or to wait."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.fails_with = ""
        self.goes_on = Event()
        self.goes_on.set()

    def __call__(self, letter: bytes) -> None:
        """Take a letter."""
        assert self.goes_on.wait(60)
        if self.fails_with:
            raise NotMailedError(self.fails_with)
        self.letters.append(letter)


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    made = World(sqlite_database, tmp_path / "state")
    made.define(a_command(mail_to="kim", origin="a.crontab:1"))
    return made


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def mailer(world: World, post: Post) -> Iterator[Mailer]:
    made = Mailer(world.database, FakeClock(), post, SENDER)
    yield made
    post.goes_on.set()
    made.stop()


def ended(world: World, *said: str, status: int = 0) -> RunKey:
    key = world.started()
    for line in said:
        world.says(key, line, name="stdout.log")
    world.turn(world.spawner.end(world.run(key).folder, status=status))
    return key


def remarks(world: World, key: RunKey) -> list[str]:
    with world.database.read() as tx:
        found = tx.logs.lines(key, limit=100)
    return [one.line.message for one in found if one.line.stream is Stream.SYSTEM]


def test_a_run_that_ended_is_told_to_the_mailer_and_mailed(world: World, mailer: Mailer, post: Post) -> None:
    ended(world, "hello")
    mailer.start()

    mailer.settled(world.settled[-1])

    eventually(lambda: post.letters)
    assert b"Subject: Cron <kim@box> true\n" in post.letters[0]
    assert post.letters[0].endswith(b"\nhello\n")


def test_a_run_whose_folder_is_lost_is_told_too(world: World) -> None:
    key = world.started()
    folder = world.run(key).folder
    world.folders.remove(folder)
    world.attempts.get(folder).ours = False  # type: ignore[union-attr]

    world.turn(seconds=11)

    assert world.run(key).state is RunState.CRASHED
    assert [attempt.run for attempt in world.settled] == [key]


def test_what_nobody_wants_mailed_is_not(world: World, mailer: Mailer, post: Post) -> None:
    ended(world, "hello")
    world.define(a_command())
    ended(world, "unheard")
    mailer.start()

    for attempt in world.settled:
        mailer.settled(attempt)

    mailer.stop()
    assert len(post.letters) == 1


def test_a_failure_is_in_the_log_of_each_run_and_once_in_that_of_the_daemon(
    world: World, mailer: Mailer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.fails_with = "this machine has no sendmail"
    keys = [ended(world, "hello") for _ in range(2)]
    mailer.start()

    for attempt in world.settled:
        mailer.settled(attempt)
    mailer.stop()

    for key in keys:
        assert remarks(world, key) == ["its output was not mailed to kim: this machine has no sendmail"]
    assert [record.message for record in caplog.records].count("not_mailed") == 1


def test_a_letter_that_cannot_be_made_costs_no_other(
    world: World, mailer: Mailer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    ended(world, "hello")
    (attempt,) = world.settled
    lost = Letter(run=RunKey(999), to="kim", command="x", file="a.crontab")
    mailer.start()

    attempt.letter, kept = lost, attempt.letter
    mailer.settled(attempt)
    attempt.letter = kept
    mailer.settled(attempt)
    mailer.stop()

    assert len(post.letters) == 1
    assert "mail_failed" in [record.message for record in caplog.records]


def test_a_sendmail_that_hangs_does_not_hold_up_the_core(
    world: World, mailer: Mailer, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    ended(world, "hello")
    post.goes_on.clear()
    mailer.start()

    for _ in range(MOST_WAITING + 2):
        mailer.settled(world.settled[0])

    assert "mail_lost" in [record.message for record in caplog.records]


def test_starting_and_stopping_twice_and_in_any_order_is_fine(
    world: World, mailer: Mailer, post: Post
) -> None:
    ended(world, "hello")
    mailer.stop()
    mailer.settled(world.settled[0])
    for _ in range(2):
        mailer.start()
    for _ in range(2):
        mailer.stop()
    mailer.start()

    assert len(post.letters) == 1


def sendmail(folder: Path, *does: str) -> dict[str, str]:
    """A sendmail that does this, in the only folder of a PATH."""
    program = folder / "sendmail"
    program.write_text("\n".join(["#!/bin/sh", *does]) + "\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.defpath}"}


def test_sendmail_is_found_in_the_path_and_given_the_letter(tmp_path: Path) -> None:
    environ = sendmail(tmp_path, f'echo "$@" > {tmp_path}/arguments', f"cat > {tmp_path}/letter")

    by_sendmail(environ)(b"To: kim\n\nhello\n")

    assert (tmp_path / "letter").read_bytes() == b"To: kim\n\nhello\n"
    assert (tmp_path / "arguments").read_text() == "-i -t -odi -oem\n"


@pytest.mark.parametrize(
    ("does", "said"),
    [("echo no route >&2; exit 75", "ended with status 75: no route"), ("exit 1", "status 1")],
)
def test_a_sendmail_that_fails_is_told_with_its_words(tmp_path: Path, does: str, said: str) -> None:
    with pytest.raises(NotMailedError, match=said):
        by_sendmail(sendmail(tmp_path, does))(b"To: kim\n\nhello\n")


def test_a_sendmail_that_cannot_run_is_told(tmp_path: Path) -> None:
    environ = sendmail(tmp_path)
    (tmp_path / "sendmail").write_text("#!/nowhere/at/all\n")

    with pytest.raises(NotMailedError, match="No such file"):
        by_sendmail(environ)(b"To: kim\n\nhello\n")


def test_a_sendmail_that_fails_is_told_though_the_daemon_waits_for_orphans_meanwhile(tmp_path: Path) -> None:
    environ = sendmail(
        tmp_path,
        f"(while [ ! -e {tmp_path}/go ]; do sleep 0.05; done) &",  # holds what sendmail is heard by open
        f"echo $$ > {tmp_path}/draft; mv {tmp_path}/draft {tmp_path}/pid",
        "exit 75",
    )
    told: list[str] = []

    def send() -> None:
        try:
            by_sendmail(environ)(b"To: kim\n\nhello\n")
        except NotMailedError as error:
            told.append(str(error))

    sender = Thread(target=send)
    sender.start()
    eventually((tmp_path / "pid").exists)
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: process_state(pid) in ("Z", ""))
    reap_strangers(())
    (tmp_path / "go").touch()
    sender.join(20)

    assert len(told) == 1
    assert told[0].endswith("sendmail ended with status 75")
