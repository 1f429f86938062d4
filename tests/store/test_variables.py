"""Variables are set, read and removed."""

import pytest

from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW

ODD = {"text": "한글 \U0001f600 \x00", "list": [1, 2.5, None, True], "empty": {}}


def test_a_variable_is_what_was_set_last(database: Database) -> None:
    with database.write() as tx:
        tx.variables.set("b", 1, at=NOW, tags=["x"])
        tx.variables.set("b", ODD, at=NOW + A_SECOND)
        tx.variables.set("a", None, at=NOW)

        assert [(one.name, one.value, one.tags) for one in tx.variables.all()] == [
            ("a", None, ()),
            ("b", ODD, ()),
        ]
        assert tx.variables.get("b").changed_at == NOW + A_SECOND


def test_without_overwrite_a_variable_that_is_there_stays(database: Database) -> None:
    with database.write() as tx:
        tx.variables.set("a", 1, at=NOW, overwrite=False)
        with pytest.raises(Conflict, match="'a' already"):
            tx.variables.set("a", 2, at=NOW, overwrite=False)

        assert tx.variables.get("a").value == 1


def test_a_variable_that_was_removed_is_not_found_and_names_like_it_are_told(database: Database) -> None:
    with database.write() as tx:
        tx.variables.set("bucket", 1, at=NOW)
        tx.variables.set("buckets", 1, at=NOW)

        assert tx.variables.remove("bucket")
        assert not tx.variables.remove("bucket")
        with pytest.raises(NotFound, match="did you mean buckets"):
            tx.variables.get("bucket")
