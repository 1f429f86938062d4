"""What is loaded when: a start waits for nothing that could be done beside it, or need not be done."""

import subprocess
import sys

import pytest


def loaded_by(statement: str) -> set[str]:
    """What Python has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; {statement}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return set(done.stdout.split())


def test_the_first_spawner_is_started_before_most_of_the_daemon_is_loaded() -> None:
    loaded = loaded_by("import schedulerd.daemon.main")

    assert "schedulerd.engine.link" in loaded
    assert loaded.isdisjoint({"sqlalchemy", "apscheduler", "schedulerd.daemon.life", "daemon"})


def test_a_daemon_loads_nothing_for_what_it_may_never_do() -> None:
    unneeded = {"alembic", "cryptography", "fastapi", "psycopg", "rich", "sqlalchemy.dialects.postgresql"}

    assert loaded_by("import schedulerd.daemon.life").isdisjoint(unneeded)


@pytest.mark.parametrize("program", ["schedulerd.daemon.web_program", "schedulerd.engine.spawner_program"])
def test_a_program_has_loaded_nothing_before_it_stops_to_look_for_garbage(program: str) -> None:
    loaded = loaded_by(f"import {program}")

    ours = {name for name in loaded if name.startswith("schedulerd.")}
    assert ours == {program, program.rpartition(".")[0], "schedulerd.garbage", "schedulerd.version"}
