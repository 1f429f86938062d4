"""The nouns of a transaction: loaded by whoever asks for them, or all at once by who stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from schedulerd.store.database import Database

pytestmark = pytest.mark.each_postgres

SCENE = """
import sys
from schedulerd.domain.runs import RunFilter
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

def loaded():
    return [name in sys.modules for name in ("schedulerd.store.users", "schedulerd.store.tasks", "schedulerd.store.pruning")]

database = Database({url!r})
with database.read() as tx:
    tx.runs.list(RunFilter())
    print(*loaded())
    tx.tasks
print(*loaded())
Transaction.load()
print(*loaded())
"""


def test_a_noun_is_loaded_when_it_is_asked_for_and_all_are_for_who_stays(migrated_sqlite: Path) -> None:
    program = SCENE.format(url=f"sqlite:///{migrated_sqlite}")

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["False False False", "False True False", "True True True"]


def test_a_noun_is_the_same_one_all_through_a_transaction(sqlite_database: Database) -> None:
    with sqlite_database.read() as tx:
        assert tx.tasks is tx.tasks
        assert tx.intake is tx.intake

        with sqlite_database.read() as another:
            assert another.tasks is not tx.tasks
