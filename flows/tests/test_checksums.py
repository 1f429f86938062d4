"""Mapping: a task run for each file; one that cannot be read takes no other with it."""

import hashlib
from pathlib import Path

import schedulerd.testing

CHECKSUMS = Path(__file__).parents[1] / "checksums.py"


def test_each_file_of_the_folder_is_a_task_run(tmp_path):
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(str(number))

    with schedulerd.testing.history() as seen:
        run = seen.run(CHECKSUMS, {"folder": str(tmp_path)})

    assert len(run.result) == 20
    assert run.result[str(tmp_path / "7.txt")] == hashlib.sha256(b"7").hexdigest()
    assert sorted(task.map_index for task in run.tasks if task.name == "checksum") == list(range(20))


def test_a_file_that_has_gone_fails_alone(tmp_path):
    there, gone = tmp_path / "there.txt", tmp_path / "gone.txt"
    there.write_text("here")

    with schedulerd.testing.history() as seen:
        run = seen.run(CHECKSUMS, {"files": [str(gone), str(there)]})

    assert run.state == "completed"
    assert list(run.result) == [str(there)]
    assert (run.task("checksum", 0).state, run.task("checksum", 0).attempt) == ("failed", 2)
    assert f"1 of 2 cannot be read: {gone}" in run.log
