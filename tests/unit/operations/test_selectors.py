"""How a run is named."""

from uuid import UUID

import pytest

from schedulerd.domain.child_runs import ChildRun, Subflow
from schedulerd.domain.ids import RunId
from schedulerd.domain.states import RunState
from schedulerd.errors import Ambiguous, Conflict, NotFound
from schedulerd.operations.selectors import find_run, find_whole
from schedulerd.store.database import Database
from tests.builders import a_run_id
from tests.store.scenes import a_scene, add, add_in, an_intake


@pytest.fixture
def ids(sqlite_database: Database) -> dict[str, str]:
    """Two runs of `etl`, the first of which failed, and one of `report`; each id by its name."""
    with sqlite_database.write() as tx:
        etl, report = a_scene(tx, name="etl"), a_scene(tx, name="report")
        a_scene(tx, name="idle")
        keys = [
            add_in(tx, etl.flow, RunState.FAILED),
            add(tx, etl.flow, id=a_run_id()),
            add_in(tx, report.flow, RunState.COMPLETED),
        ]
        return {run.selector: str(run.id) for run in map(tx.runs.by_key, keys)}


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("etl#1", "etl#1"),
        ("@last", "report#1"),
        ("@last:etl", "etl#2"),
        ("@last-failed", "etl#1"),
        ("@last-failed:etl", "etl#1"),
    ],
)
def test_a_selector_names_one_run(
    sqlite_database: Database, ids: dict[str, str], selector: str, meant: str
) -> None:
    with sqlite_database.read() as tx:
        assert find_run(tx, selector).selector == meant


def test_an_id_and_what_it_begins_with_name_the_run(sqlite_database: Database, ids: dict[str, str]) -> None:
    with sqlite_database.read() as tx:
        for selector, id_ in ids.items():
            assert find_run(tx, id_).selector == selector
            assert find_run(tx, id_.upper()).selector == selector
            assert find_run(tx, id_.replace("-", "")).selector == selector
            assert find_run(tx, id_[:-1]).selector == selector


def test_a_prefix_of_several_is_ambiguous(sqlite_database: Database, ids: dict[str, str]) -> None:
    with sqlite_database.read() as tx, pytest.raises(Ambiguous) as caught:
        find_run(tx, ids["etl#1"][:8])

    assert len(caught.value.candidates) == 3


@pytest.mark.parametrize(
    ("selector", "mend"),
    [
        ("etl#9", "its last run is etl#2"),
        ("idle#1", "it has not run yet"),
        ("0000000", "runs list"),
        ("01a", "at least 6 characters"),
        ("@last:idle", "runs list"),
        ("@lats", "a run is named by"),
        ("etl", "@last:etl names its last run"),
        ("etl#x", "a run is named by"),
        ("etl#1.", "a run is named by"),
        ("etl#1.x", "a run is named by"),
        ("etl#1.1", "it has no child runs"),
        ("", "a run is named by"),
    ],
)
def test_what_names_no_run_is_told_what_would(
    sqlite_database: Database, ids: dict[str, str], selector: str, mend: str
) -> None:
    with sqlite_database.read() as tx, pytest.raises(NotFound) as caught:
        find_run(tx, selector)

    assert mend in caught.value.mend


@pytest.mark.parametrize("selector", ["etk#1", "@last:etk"])
def test_a_misspelt_flow_is_told_what_it_may_be(
    sqlite_database: Database, ids: dict[str, str], selector: str
) -> None:
    with sqlite_database.read() as tx, pytest.raises(NotFound) as caught:
        find_run(tx, selector)

    assert caught.value.near == ("etl",)


@pytest.fixture
def child(sqlite_database: Database, ids: dict[str, str]) -> str:
    """The id of the one child run of `report#1`."""
    told = Subflow(task=1, id=RunId(UUID(int=2**120)), flow="load", name="load kr", state=RunState.RUNNING)
    with sqlite_database.write() as tx:
        key = add_in(tx, tx.flows.get("report").key, RunState.PENDING)
        tx.intake.take([an_intake(key, subflows=(told,), lines=(), tasks=())])
    return str(told.id)


def test_a_child_run_is_named_by_its_root_and_a_number_or_by_its_id(
    sqlite_database: Database, child: str
) -> None:
    with sqlite_database.read() as tx:
        for selector in ("report#2.1", child, child[:8]):
            found = find_run(tx, selector)

            assert isinstance(found, ChildRun)
            assert (found.selector, found.name, str(found.id)) == ("report#2.1", "load kr", child)
        with pytest.raises(NotFound) as caught:
            find_run(tx, "report#2.2")
    assert caught.value.mend == "it has 1 child run(s)"


def test_where_a_whole_run_is_wanted_a_child_run_is_refused_with_what_to_do(
    sqlite_database: Database, child: str
) -> None:
    with sqlite_database.read() as tx:
        assert find_whole(tx, "report#2").selector == "report#2"
        with pytest.raises(Conflict) as caught:
            find_whole(tx, child, instead="runs cancel")

    assert caught.value.message == "report#2.1 is a part of report#2, in the same process"
    assert caught.value.mend == "`schedulerd runs cancel report#2`"
