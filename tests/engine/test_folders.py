"""The run on disk: each rename has one winner, whoever races, and what stands there is whole."""

import json
import multiprocessing
import os
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from schedulerd.engine.folders import READY, RUNS, Facts, RunFolders, begin, read_request
from schedulerd.engine.notes import Exit, Stage, write_exit, write_process
from schedulerd.engine.processes import identify

KEY = "0198.1"
ROUNDS = 60


@pytest.fixture
def folders(tmp_path: Path) -> RunFolders:
    made = RunFolders(tmp_path)
    made.make()
    return made


def taken(folders: RunFolders, key: str = KEY) -> int:
    """The open folder of an attempt that was prepared and taken."""
    folders.prepare(key, {"n": 1})
    folder = folders.take(key)
    assert folder is not None
    return folder


def test_a_prepared_attempt_is_seen_with_its_request(folders: RunFolders) -> None:
    folders.prepare(KEY, {"command": "echo 한글", "parameters": {"x": [1, None]}})

    assert folders.facts(KEY) == Facts(where=READY, stage=Stage.ARMED)
    folder = folders.take(KEY)
    assert folder is not None
    assert read_request(folder) == {"command": "echo 한글", "parameters": {"x": [1, None]}}
    os.close(folder)


def test_nobody_else_may_read_a_request(folders: RunFolders) -> None:
    folders.prepare(KEY, {"parameters": {"password": "secret"}})

    for path in (folders.ready, folders.ready / KEY, folders.ready / KEY / "armed"):
        assert path.stat().st_mode & 0o077 == 0


def test_an_attempt_is_taken_once(folders: RunFolders) -> None:
    folder = taken(folders)

    assert folders.take(KEY) is None
    assert folders.facts(KEY) == Facts(where=RUNS, stage=Stage.ARMED)
    os.close(folder)


def test_what_is_not_there_cannot_be_taken_given_up_or_removed(folders: RunFolders) -> None:
    assert folders.take(KEY) is None
    assert not folders.give_up(KEY)
    folders.remove(KEY)
    assert folders.facts(KEY) == Facts()


def test_the_facts_follow_the_life_of_an_attempt(folders: RunFolders) -> None:
    me = identify(os.getpid())
    folder = taken(folders)
    write_process(folder, me, me)
    assert folders.facts(KEY) == Facts(where=RUNS, stage=Stage.ARMED, process=me, parents=(me,))

    assert begin(folder)
    assert folders.facts(KEY).stage is Stage.STARTED

    write_exit(folder, Exit(ended_us=7, signal=9, left=1))
    assert folders.facts(KEY).exit == Exit(ended_us=7, signal=9, left=1)
    os.close(folder)


@pytest.mark.parametrize("name", ["pid", "exit.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"status": 0}', b"\xff"])
def test_a_file_that_is_no_whole_one_tells_nothing(folders: RunFolders, name: str, content: bytes) -> None:
    os.close(taken(folders))
    (folders.runs / KEY / name).write_bytes(content)

    assert folders.facts(KEY) == Facts(where=RUNS, stage=Stage.ARMED)


def test_a_removed_attempt_leaves_nothing_and_its_late_writer_writes_nowhere(folders: RunFolders) -> None:
    late = taken(folders)
    assert folders.give_up(KEY)
    folders.remove(KEY)
    folders.prepare(KEY, {"n": 2})
    new = folders.take(KEY)
    assert new is not None

    assert not begin(late)
    with pytest.raises(FileNotFoundError):
        write_exit(late, Exit(ended_us=1, status=0))
    with pytest.raises(FileNotFoundError):
        os.open("journal.jsonl", os.O_WRONLY | os.O_CREAT, dir_fd=late)

    assert sorted(os.listdir(folders.runs / KEY)) == ["armed"]
    assert begin(new)
    os.close(late)
    os.close(new)


def test_a_sweep_removes_what_was_interrupted_and_nothing_else(folders: RunFolders) -> None:
    folders.prepare(KEY, {})
    os.close(taken(folders, "0199.1"))
    for parent in (folders.ready, folders.runs):
        (parent / ".0200.1").mkdir()
        (parent / ".0200.1" / "armed").touch()

    folders.sweep()

    assert folders.names() == {KEY, "0199.1"}
    assert os.listdir(folders.ready) == [KEY]


def _on_a_full_disk(state_dir: Path, answer: "multiprocessing.queues.Queue[str]") -> None:
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        RunFolders(state_dir).prepare(KEY, {"parameters": "x" * 1_000})
        answer.put("prepared")
    except OSError as error:
        answer.put(type(error).__name__)


def test_a_request_that_does_not_fit_on_the_disk_is_not_prepared(folders: RunFolders, tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    answer = fork.Queue()
    child = fork.Process(target=_on_a_full_disk, args=(tmp_path, answer))
    child.start()

    assert answer.get(timeout=60) == "OSError"
    child.join()
    assert folders.facts(KEY) == Facts()
    assert folders.names() == set()

    folders.prepare(KEY, {"n": 1})  # there is room again
    assert json.loads((folders.ready / KEY / "armed").read_bytes()) == {"n": 1}


# -- races ----------------------------------------------------------------------------------------------------------


def test_of_many_threads_that_take_an_attempt_one_does(folders: RunFolders) -> None:
    takers = 4
    barrier = Barrier(takers)

    def take(_: int) -> int | None:
        barrier.wait()
        return folders.take(KEY)

    with ThreadPoolExecutor(takers) as pool:
        for _ in range(ROUNDS):
            folders.prepare(KEY, {})
            won = [folder for folder in pool.map(take, range(takers)) if folder is not None]

            assert len(won) == 1
            os.close(won[0])
            folders.remove(KEY)


def _race(
    turn: Callable[[int], bool], start: "multiprocessing.synchronize.Barrier", won: "list[int]"
) -> None:
    for number in range(ROUNDS):
        start.wait(60)
        if turn(number):
            won[number] += 1
    os._exit(0)


def _in_processes(*turns: Callable[[int], bool]) -> list[int]:
    """How many of these processes won each round; they begin each at the same moment."""
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(len(turns))
    won = [fork.Array("i", ROUNDS) for _ in turns]
    children = [
        fork.Process(target=_race, args=(turn, start, mine)) for turn, mine in zip(turns, won, strict=True)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
        assert child.exitcode == 0
    return [sum(each) for each in zip(*won, strict=True)]


def test_of_two_processes_that_take_an_attempt_one_does(folders: RunFolders) -> None:
    for number in range(ROUNDS):
        folders.prepare(f"{number}.1", {})

    winners = _in_processes(*[lambda number: folders.take(f"{number}.1") is not None] * 3)

    assert winners == [1] * ROUNDS


def test_an_attempt_either_begins_or_is_given_up(folders: RunFolders) -> None:
    held = [taken(folders, f"{number}.1") for number in range(ROUNDS)]

    winners = _in_processes(lambda number: begin(held[number]), lambda number: folders.give_up(f"{number}.1"))

    assert winners == [1] * ROUNDS
    for number, folder in enumerate(held):
        assert folders.facts(f"{number}.1").stage in (Stage.STARTED, Stage.VOID)
        os.close(folder)


def test_who_is_seen_to_have_started_is_seen_with_its_process(folders: RunFolders) -> None:
    held = [taken(folders, f"{number}.1") for number in range(ROUNDS)]

    def start(number: int) -> bool:
        me = identify(os.getpid())
        write_process(held[number], me, me)
        return begin(held[number])

    def look(number: int) -> bool:
        for _ in range(50):
            facts = folders.facts(f"{number}.1")
            if facts.stage is Stage.STARTED and facts.process is None:
                return True
        return False

    winners = _in_processes(start, look)

    assert winners == [1] * ROUNDS
    for folder in held:
        os.close(folder)
