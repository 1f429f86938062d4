"""The run's side of asking: mailboxes, threads, forked processes, deadlines, and answers that come twice or torn."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.authoring.redacting import given
from schedulerd.domain.variables import LARGEST, check_value
from schedulerd.engine.asking import JournalChannel
from schedulerd.engine.journal import Record
from schedulerd.engine.mailbox import INBOX, hand_over, put_into_inbox
from schedulerd.errors import BadParameters, NotPermitted, Unreachable
from tests.waiting import eventually


class Scene:
    """A channel over a folder, and what it has written into its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[Record] = []
        self.rung = 0
        self.whispered: list[tuple[str, str]] = []
        self.warned: list[str] = []
        self.is_full = False
        self.channel = JournalChannel(
            folder, append=self._append, ring=self._ring, whisper=self._whisper, warn=self.warned.append
        )

    def _append(self, record: Record) -> bool:
        if not self.is_full:
            self.records.append(record)
        return not self.is_full

    def _ring(self) -> None:
        self.rung += 1

    def _whisper(self, name: str, value: str) -> None:
        self.whispered.append((name, value))

    def answer(self, record: Record, **said: object) -> None:
        """Answer a question through the inbox."""
        assert put_into_inbox(self.folder, [{"id": record["id"], **said}], [record["s"]])

    def hears_question(self, number: int) -> Record:
        """The question of that number, when it has been asked."""
        eventually(lambda: len(self.records) >= number, within=20)
        return self.records[number - 1]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A channel."""
    made = Scene(tmp_path)
    yield made
    made.channel.close()


def aside(work: object, *args: object) -> threading.Thread:
    """Do it beside us."""
    thread = threading.Thread(target=work, args=args)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_an_answer_in_the_inbox_is_the_answer_to_its_question(scene: Scene) -> None:
    answering = aside(lambda: scene.answer(scene.hears_question(1), value=5))

    answer = scene.channel.ask("variable.get", {"name": "a"})

    answering.join()
    assert answer["value"] == 5
    assert scene.records[0]["q"] == "variable.get"
    assert scene.rung == 1
    assert (scene.folder / INBOX).stat().st_mode & 0o777 == 0o600


def test_a_private_answer_comes_by_the_door_and_lies_in_no_file(scene: Scene) -> None:
    def answer() -> None:
        record = scene.hears_question(1)
        assert hand_over(scene.folder, record["s"], {"id": record["id"], "value": "x" * 64_000})

    answering = aside(answer)

    assert scene.channel.ask("secret.get", {"name": "a"})["value"] == "x" * 64_000
    answering.join()
    assert (scene.folder / INBOX).read_bytes() == b""


def test_threads_that_ask_at_once_are_given_their_own_answers(scene: Scene) -> None:
    got: dict[int, object] = {}

    def ask(number: int) -> None:
        got[number] = scene.channel.ask("x", {"n": number})["n"]

    threads = [aside(ask, number) for number in range(8)]
    for number in range(8, 0, -1):
        record = scene.hears_question(number)
        scene.answer(record, n=record["b"]["n"])
    for thread in threads:
        thread.join()

    assert got == {number: number for number in range(8)}
    assert len({record["id"] for record in scene.records}) == 8


def test_an_answer_that_comes_twice_or_torn_or_is_somebody_elses_does_no_harm(scene: Scene) -> None:
    def answer() -> None:
        record = scene.hears_question(1)
        with open(scene.folder / INBOX, "ab") as file:
            file.write(b'{"id": "' + record["id"].encode() + b'", "val')
        put_into_inbox(scene.folder, [{"id": "9.9", "value": 0}, {"id": record["id"], "value": 1}], [""])
        scene.answer(record, value=1)

    answering = aside(answer)

    assert scene.channel.ask("x", {})["value"] == 1
    answering.join()


def test_a_deadline_ends_the_wait_and_a_full_disk_says_so(scene: Scene) -> None:
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        scene.channel.ask("x", {}, seconds=0.05)

    scene.is_full = True
    with pytest.raises(Unreachable, match="no room for it in the run's journal"):
        scene.channel.ask("x", {})


def test_a_process_that_was_forked_has_a_mailbox_of_its_own(scene: Scene) -> None:
    answering = aside(lambda: scene.answer(scene.hears_question(1), value=0))
    scene.channel.ask("x", {})
    answering.join()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        child = JournalChannel.ask
        scene.channel._append = lambda record: bool(os.write(writing, json.dumps(record).encode() + b"\n"))
        code = 1
        try:
            code = 0 if child(scene.channel, "secret.get", {})["value"] == "theirs" else 2
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading, "rb") as file:
        record = json.loads(file.readline())

    assert hand_over(scene.folder, record["s"], {"id": record["id"], "value": "theirs"})
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert record["s"] == f"answers.{pid}.sock"


def test_a_run_that_is_gone_takes_no_answers(tmp_path: Path) -> None:
    assert not put_into_inbox(tmp_path, [{"id": "1"}], [])
    assert not put_into_inbox(tmp_path / "gone", [{"id": "1"}], [])
    assert not hand_over(tmp_path, "answers.1.sock", {"id": "1"})
    assert not hand_over(tmp_path / "gone", "answers.1.sock", {"id": "1"})


def test_the_largest_secret_there_may_be_goes_through_the_door_whatever_its_characters(scene: Scene) -> None:
    largest = "\x01" * ((LARGEST - 2) // 6)
    assert check_value("key", largest, what="secret") == largest

    def answer() -> None:
        record = scene.hears_question(1)
        assert hand_over(scene.folder, record["s"], {"id": record["id"], "found": True, "value": largest})

    answering = aside(answer)

    assert scene.channel.ask("secret.get", {"name": "a"})["value"] == largest
    answering.join()
    with pytest.raises(BadParameters, match="more than 65,536"):
        check_value("key", largest + "\x01", what="secret")


def test_a_question_with_a_secret_in_it_is_not_written_down(scene: Scene) -> None:
    given.add("a-secret-of-this-test")

    with pytest.raises(NotPermitted, match="it would be written down"):
        scene.channel.ask("variable.set", {"name": "a", "value": ["x a-secret-of-this-test"]})

    assert scene.records == []


def test_a_private_value_is_told_again_until_there_is_an_answer(scene: Scene) -> None:
    def answer() -> None:
        eventually(lambda: len(scene.whispered) >= 2, within=20)
        scene.answer(scene.hears_question(1))

    answering = aside(answer)

    scene.channel.ask("secret.set", {"name": "a"}, private='"value"')

    answering.join()
    assert set(scene.whispered) == {(scene.records[0]["id"], '"value"')}
    assert "value" not in str(scene.records)
