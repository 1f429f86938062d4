"""The health file: what a daemon says of itself, readable without its database and written on a full disk."""

import os
from pathlib import Path

from schedulerd.domain.health import Health, Trouble, TroubleKind
from schedulerd.engine.health_file import HealthFile, read_health
from tests.builders import NOW
from tests.small_disk import small_disk

TROUBLE = Trouble(kind=TroubleKind.SPACE, reason="no room", since=NOW, mend="make some")


def test_what_was_said_last_is_read(tmp_path: Path) -> None:
    file = HealthFile(tmp_path)
    file.write(Health(troubles=(TROUBLE,)))
    before = read_health(tmp_path)
    file.write(Health())
    after = read_health(tmp_path)
    file.close()

    assert before is not None
    assert (before.pid, before.health.troubles) == (os.getpid(), (TROUBLE,))
    assert before.seconds_ago < 60
    assert after is not None
    assert after.health == Health()


def test_it_is_written_over_on_a_full_disk() -> None:
    with small_disk() as disk:
        file = HealthFile(disk.path)
        file.write(Health())
        disk.fill()

        file.write(Health(troubles=(TROUBLE,)))

        said = read_health(disk.path)
        file.close()
    assert said is not None
    assert said.health.troubles == (TROUBLE,)


def test_where_it_cannot_be_written_nothing_happens(tmp_path: Path) -> None:
    file = HealthFile(tmp_path / "missing")

    file.write(Health())

    assert read_health(tmp_path / "missing") is None


def test_one_that_was_removed_is_made_again(tmp_path: Path) -> None:
    file = HealthFile(tmp_path)
    file.write(Health())
    (tmp_path / "health.json").unlink()

    file.write(Health(troubles=(TROUBLE,)))
    file.close()

    assert read_health(tmp_path) is not None


def test_what_cannot_be_understood_is_no_health(tmp_path: Path) -> None:
    (tmp_path / "health.json").write_text('{"pid": 1, "troubles": [{"kind": "unheard of"}]}')

    assert read_health(tmp_path) is None


def test_much_that_is_wrong_has_room(tmp_path: Path) -> None:
    troubles = tuple(
        Trouble(kind=kind, reason="ü" * 1_000, since=NOW, mend="x" * 1_000) for kind in TroubleKind
    )
    file = HealthFile(tmp_path)
    file.write(Health(troubles=troubles))
    file.close()

    said = read_health(tmp_path)

    assert said is not None
    assert len(said.health.troubles) == len(TroubleKind)
