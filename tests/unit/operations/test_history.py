"""The pages of the history, by the cursors that lead from one to the next."""

from datetime import timedelta

import pytest

from schedulerd.domain.ids import RunId, uuid7
from schedulerd.errors import BadExpression
from schedulerd.operations.history import History
from schedulerd.store import history as bounds
from schedulerd.store.database import Database
from tests.builders import NOW, a_new_run
from tests.fakes import FakeClock
from tests.store.scenes import a_scene

COUNT = 10


@pytest.fixture
def history(sqlite_database: Database) -> History:
    """Of ten runs of a flow, `etl#1` to `etl#10`; the odd ones have a parameter."""
    with sqlite_database.write() as tx:
        flow = a_scene(tx).flow
        for number in range(1, COUNT + 1):
            at = NOW + timedelta(minutes=number)
            made = RunId(uuid7(at, entropy=number))
            parameters = {"is": "odd"} if number % 2 else {}
            tx.runs.add([a_new_run(flow, id=made, created_at=at, parameters=parameters)])
    return History(sqlite_database, FakeClock(NOW + timedelta(hours=1)))


def test_one_goes_down_the_history_and_up_again(history: History) -> None:
    query = history.query("flow:etl", zone=None)

    first = history.page(query, limit=4)
    second = history.page(query, limit=4, after=first.older)
    third = history.page(query, limit=4, after=second.older)
    back = history.page(query, limit=4, before=third.newer)
    top = history.page(query, limit=4, before=back.newer)

    pages = [[run.number for run in page.runs] for page in (first, second, third, back, top)]
    assert pages == [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1], [6, 5, 4, 3], [10, 9, 8, 7]]
    assert (first.newer, third.older, top.newer) == (None, None, None)
    assert history.page(query, limit=4, after=top.older) == second


def test_what_came_since_stands_before_the_head_of_a_page(history: History) -> None:
    query = history.query("", zone=None)
    seen = history.page(query, limit=4, after=history.page(query, limit=2).older)

    since = history.page(query, before=seen.head)

    assert [run.number for run in since.runs] == [10, 9]
    assert (since.older, since.newer) == (history.page(query, limit=2).older, None)


def test_a_page_on_which_nothing_is_leads_back(history: History) -> None:
    query = history.query("", zone=None)
    end = history.page(query, limit=10).head
    last = history.page(query, limit=9).older
    assert last is not None
    below = history.page(query, limit=10, after=history.page(query, limit=1, after=last).head)

    above = history.page(query, before=end)

    assert (above.runs, above.older, above.newer, above.head) == ((), end, None, None)
    assert (below.runs, below.older) == ((), None)
    assert below.newer is not None


def test_a_search_that_ended_early_says_when_and_its_cursor_goes_on(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("LOOKED_AT", "LOOKED_UP"):
        monkeypatch.setattr(bounds, bound, 3)
    query = history.query("param.is:odd", zone=None)

    first = history.page(query)
    second = history.page(query, after=first.older)

    assert [run.number for run in first.runs] == [9]
    assert first.searched_to == NOW + timedelta(minutes=8)
    assert [run.number for run in second.runs] == [7, 5]
    upward = history.page(query, before=second.newer)
    assert [run.number for run in upward.runs] == [9]
    assert upward.newer is None or history.page(query, before=upward.newer).runs == ()


def test_a_cursor_of_another_list_is_refused(history: History) -> None:
    cursor = history.page(history.query("flow:etl", zone=None), limit=1).older

    with pytest.raises(BadExpression, match="other filters"):
        history.page(history.query("state:bad", zone=None), after=cursor)


def test_counts_are_of_the_whole_history(history: History) -> None:
    counts = history.counts(history.query("param.is:odd", zone=None))

    assert {group: count.number for group, count in counts.items() if count.number} == {"waiting": 5}
