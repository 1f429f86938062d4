"""`db check`, `backup`, `restore`, `prune`."""

import json
from datetime import timedelta
from pathlib import Path

from schedulerd.domain.retention import Retention
from schedulerd.engine.lock import DaemonLock
from tests.builders import NOW
from tests.cli.scenes import Project
from tests.store.test_pruning import add_old
from tests.store.test_upgrading import make_old


def test_a_sound_database_passes_the_check(project: Project) -> None:
    result = project.call("db", "check")

    assert result.exit_code == 0
    assert "sound" in result.stderr


def test_a_check_that_finds_something_ends_with_8(project: Project) -> None:
    project.add_flow()
    key = project.add_run()
    with project.database.write() as tx:
        was = tx._connection.exec_driver_sql(f"SELECT ended_at FROM runs WHERE id = {key}").scalar_one()
        spoil, mend = (f"UPDATE runs SET ended_at = {value} WHERE id = {key}" for value in ("NULL", was))
        tx._connection.exec_driver_sql(spoil)

    result = project.call("db", "check", "-o", "json")
    with project.database.write() as tx:
        tx._connection.exec_driver_sql(mend)

    assert result.exit_code == 8
    assert json.loads(result.stdout) == [{"problem": "a run that has ended says when, and only such a run"}]


def test_a_backup_comes_back_with_yes_only(project: Project, tmp_path: Path) -> None:
    project.add_flow()
    copy = str(tmp_path / "copy.db")
    made = project.call("db", "backup", copy)
    project.add_run()

    asked = project.call("db", "restore", copy)
    looked = project.call("db", "restore", copy, "--dry-run")
    held = json.loads(project.call("runs", "list", "-o", "json").stdout)
    done = project.call("db", "restore", copy, "--yes", "-o", "json")
    project.database.close()

    assert (made.exit_code, asked.exit_code, looked.exit_code, done.exit_code) == (0, 2, 0, 0)
    assert "--yes" in asked.stderr
    assert len(held) == 1
    assert json.loads(done.stdout)["kept"].endswith("schedulerd.db.replaced.1")
    assert json.loads(project.call("runs", "list", "-o", "json").stdout) == []


def test_nothing_is_restored_while_a_daemon_runs(project: Project, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy.db")
    project.call("db", "backup", copy)
    lock = DaemonLock(project.state_dir)
    lock.acquire()

    result = project.call("db", "restore", copy, "--yes")
    lock.release()

    assert result.exit_code == 5
    assert "schedulerd stop" in result.stderr


def test_a_backup_refuses_a_file_that_is_there(project: Project) -> None:
    result = project.call("db", "backup", str(project.config))

    assert result.exit_code == 5
    assert "already" in result.stderr


def test_old_runs_are_pruned_with_yes_only_and_the_newest_stay(project: Project) -> None:
    project.config.write_text(project.config.read_text() + "[retention]\nkeep_per_flow = 1\n")
    project.add_flow()
    with project.database.write() as tx:
        for age in (100, 99, 98):
            add_old(tx, tx.flows.get("etl").key, age=timedelta(days=age))

    asked = project.call("db", "prune", "--older-than", "90d")
    counted = project.call("db", "prune", "--older-than", "90d", "--dry-run", "-o", "json")
    held = json.loads(project.call("runs", "list", "-o", "json").stdout)
    done = project.call("db", "prune", "--older-than", "90d", "--yes")

    assert (asked.exit_code, counted.exit_code, done.exit_code) == (2, 0, 0)
    assert json.loads(counted.stdout) == {"runs": 2, "removed": False}
    assert len(held) == 3
    assert done.stdout == "2 runs removed; the newest 1 of each flow stay\n"
    assert len(json.loads(project.call("runs", "list", "-o", "json").stdout)) == 1


def test_a_log_that_was_removed_is_told_so(project: Project) -> None:
    project.add_flow()
    with project.database.write() as tx:
        add_old(tx, tx.flows.get("etl").key, age=timedelta(days=40))
        tx.pruning.page(Retention(keep_per_flow=0), now=NOW)

    result = project.call("logs", "@last")

    assert result.exit_code == 0
    assert "its log was removed, as it is old" in result.stderr


def test_an_upgrade_says_where_what_was_is_kept(project: Project, tmp_path: Path) -> None:
    make_old(f"sqlite:///{tmp_path}/old/schedulerd.db", "0002")
    environ = {"SCHEDULERD_STORE__URL": f"sqlite:///{tmp_path}/old/schedulerd.db"}

    first = project.call("db", "upgrade", "-o", "json", environ=environ)
    again = project.call("db", "upgrade", "-o", "json", environ=environ)

    kept = json.loads(first.stdout)["copy"]
    assert Path(kept).is_file()
    assert f"what it was is kept: {kept}" in first.stderr
    assert json.loads(again.stdout)["copy"] is None


def test_an_upgrade_makes_no_copy_when_it_is_told_so(project: Project, tmp_path: Path) -> None:
    make_old(f"sqlite:///{tmp_path}/old/schedulerd.db", "0002")
    environ = {"SCHEDULERD_STORE__URL": f"sqlite:///{tmp_path}/old/schedulerd.db"}

    result = project.call("db", "upgrade", "--no-copy", environ=environ)

    assert result.exit_code == 0
    assert list(tmp_path.rglob("*.before-*")) == []
