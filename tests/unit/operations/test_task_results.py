"""What tasks of other runs returned: which is meant by a name, and who may read it."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunKey
from schedulerd.domain.results import Result, ResultKind
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.surroundings import Surroundings
from schedulerd.errors import Conflict, NotFound, NotPermitted
from schedulerd.operations.task_results import task_results
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_file, a_flow
from tests.store.scenes import a_task, add, an_intake, move


@pytest.fixture
def tx(sqlite_database: Database) -> Iterator[Transaction]:
    """A transaction in which there are the flows `etl`, and `theirs` of another user."""
    with sqlite_database.write() as opened:
        theirs = a_flow("theirs", surroundings=Surroundings(user="nobody"))
        opened.flows.put_file(a_file(a_flow()), now=NOW)
        opened.flows.put_file(a_file(theirs, version="cd" * 32), now=NOW)
        yield opened


def a_run(
    tx: Transaction, *tasks: Any, flow: str = "etl", results: tuple[Result, ...] = (), **changes: Any
) -> RunKey:
    """A run that completed, with these tasks."""
    key = add(tx, tx.flows.get(flow).key, **changes)
    move(tx, key, RunState.PENDING)
    tx.intake.take([an_intake(key, tasks=tasks, lines=(), results=results)])
    move(tx, key, RunState.COMPLETED)
    return key


def a_value(number: int, name: str, preview: str = "1", **changes: Any) -> Any:
    """A task that came to what is shown of it."""
    values: dict[str, Any] = {
        "state": TaskState.COMPLETED,
        "ended_at": NOW + A_SECOND,
        "result_preview": preview,
        "call": f"- {number} {name}",
        "kept": ResultKind.PREVIEW,
    }
    return a_task(number, name=name, **(values | changes))


def asked(
    tx: Transaction, run: RunKey, task: str, *, index: int | None = None, asker: RunKey | None = None
) -> Any:
    """What is answered: the values, as text."""
    answer = task_results(tx, tx.runs.by_key(run), {"task": task, "index": index}, asker=asker)
    values = [b64decode(one["content"]).decode() for one in answer["values"]]
    return values if answer["is_map"] else values[0]


def test_a_task_is_meant_by_its_name_and_of_several_by_its_number(tx: Transaction) -> None:
    run = a_run(tx, a_value(1, "load", "10"), a_value(2, "load", "20"), a_value(3, "tell-2", "30"))

    assert [asked(tx, run, name) for name in ("load-1", "load-2", "tell-2")] == ["10", "20", "30"]
    with pytest.raises(Conflict, match="there are 2 tasks 'load'"):
        asked(tx, run, "load")
    for nobody in ("load-3", "load-0", "lod"):
        with pytest.raises(NotFound, match="there is no task"):
            asked(tx, run, nobody)


def test_of_a_map_all_are_given_in_order_or_that_of_an_index(tx: Transaction) -> None:
    run = a_run(tx, a_value(1, "load", "10", map_index=1), a_value(2, "load", "0", map_index=0))

    assert asked(tx, run, "load") == ["0", "10"]
    assert asked(tx, run, "load-1") == ["0", "10"]  # Prefect 1's slug of it
    assert asked(tx, run, "load", index=1) == "10"
    with pytest.raises(NotFound, match=r"there is no task 'load\[2\]'"):
        asked(tx, run, "load", index=2)


def test_what_was_skipped_is_nothing_and_what_failed_or_was_not_kept_is_refused(tx: Transaction) -> None:
    run = a_run(
        tx,
        a_value(1, "left-out", state=TaskState.SKIPPED, call=None, kept=None),
        a_value(
            2,
            "broken",
            state=TaskState.FAILED,
            call=None,
            kept=None,
            failure=Failure(type="KeyError", message="a"),
        ),
        a_value(3, "large", call=None, kept=None),
    )

    assert asked(tx, run, "left-out") == "null"
    with pytest.raises(Conflict, match="task broken of etl#1 is failed: KeyError: a"):
        asked(tx, run, "broken")
    with pytest.raises(NotFound, match="large of etl#1"):
        asked(tx, run, "large")


def test_a_run_that_has_not_ended_has_no_results(tx: Transaction) -> None:
    run = add(tx, tx.flows.get("etl").key)

    with pytest.raises(Conflict, match="has not ended: it is scheduled"):
        asked(tx, run, "load")


def test_a_run_reads_of_its_own_child_runs_only_and_no_pickle_of_another_user(tx: Transaction) -> None:
    parent, stranger = a_run(tx), a_run(tx)
    pickled = Result(kind=ResultKind.PICKLE, call="- 1 load", content=b"pickle")
    tasks = (a_value(1, "load", kept=ResultKind.PICKLE), a_value(2, "plain", "7"))
    ours = a_run(tx, *tasks, results=(pickled,), parent=parent)
    theirs = a_run(tx, *tasks, flow="theirs", results=(pickled,), parent=parent)

    assert (asked(tx, ours, "load", asker=parent), asked(tx, theirs, "plain", asker=parent)) == (
        "pickle",
        "7",
    )
    assert asked(tx, theirs, "load") == "pickle"  # a person has the database
    with pytest.raises(NotPermitted, match="is a pickle, and its run is another user's"):
        asked(tx, theirs, "load", asker=parent)
    with pytest.raises(NotPermitted, match="was not asked for by this run"):
        asked(tx, ours, "plain", asker=stranger)


def test_too_much_at_a_time_is_refused(tx: Transaction) -> None:
    large = "x" * 60_000
    tasks = [a_value(number, "load", large, map_index=number) for number in range(1, 20)]
    run = a_run(tx, *tasks)

    with pytest.raises(Conflict, match="more than 1,048,576 bytes"):
        asked(tx, run, "load")
    assert len(asked(tx, run, "load", index=1)) == 60_000
