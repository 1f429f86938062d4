"""Several runs at once: what will become of each is said before, and what became of it afterwards."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.runs import Run
from schedulerd.errors import SchedulerdError, StoreUnavailable
from tests.web.page_scene import PageScene, Reader


def ask(reader: Reader, deed: str, *runs: str) -> str:
    query = "&".join(f"run={one}" for one in runs)
    return reader.get(f"/runs/bulk/{deed}?{query}").text


def picked(html: str) -> list[str]:
    return re.findall(r'type="hidden" name="run" value="([^"]+)"', html)


def test_runs_are_chosen_in_the_list_by_who_may_change_them(scene: PageScene, reader: Reader) -> None:
    with scene.client(Role.VIEWER) as viewer:
        theirs = viewer.get("/runs").text
        refused = viewer.see(f"/runs/bulk/cancel?run={scene.running.id}", status=403)

    ours = reader.get("/runs").text
    assert ours.count('type="checkbox" id="pick-') == 3
    assert ('action="/runs/bulk/cancel"' in ours, 'formaction="/runs/bulk/retry"' in ours) == (True, True)
    assert 'id="pick-' not in theirs
    assert 'id="bulk"' not in theirs
    assert "needs the role operator" in refused.text


def test_it_is_said_with_which_it_can_be_done(scene: PageScene, reader: Reader) -> None:
    all_three = (str(scene.failed.id), str(scene.running.id), str(scene.waiting.id))

    cancel = ask(reader, "cancel", *all_three, all_three[1], "never-was")
    retry = ask(reader, "retry", *all_three)

    assert picked(cancel) == [str(scene.waiting.id), str(scene.running.id)]
    assert ('action="/runs/bulk/cancel"' in cancel, 'action="/runs/bulk/retry"' in retry) == (True, True)
    assert "With 1 run this cannot be done" in cancel
    assert picked(retry) == [str(scene.failed.id)]
    assert "No run was chosen." in ask(reader, "retry")


def test_each_is_cancelled_and_one_that_cannot_be_keeps_none_from_it(
    scene: PageScene, reader: Reader
) -> None:
    done = reader.post_all(
        "/runs/bulk/cancel",
        ("reason", "wrong region"),
        ("run", str(scene.failed.id)),
        ("run", str(scene.running.id)),
        ("run", str(scene.waiting.id)),
    )

    assert done.status_code == 200
    assert done.text.count("It is told to end.") == 2
    assert "etl#1 has ended already: it is failed" in done.text
    with scene.database.read() as tx:
        assert {wish.reason for wish in tx.runs.cancel_wishes()} == {"wrong region"}
    entries = scene.operations.audit.list(AuditFilter(limit=2))
    assert [(one.change.what, one.change.target) for one in entries] == [
        ("runs.cancel", "etl#2"),
        ("runs.cancel", "etl#3"),
    ]
    assert {str(one.change.after) for one in entries} == {"{'reason': 'wrong region'}"}


def test_each_is_tried_again(scene: PageScene, reader: Reader) -> None:
    done = reader.post_all("/runs/bulk/retry", ("run", str(scene.failed.id)))

    assert "It is tried again." in done.text
    assert scene.operations.runs.get(str(scene.failed.id)).state.value == "retrying"


def test_where_nothing_was_done_the_audit_tells_of_nothing(scene: PageScene, reader: Reader) -> None:
    before = scene.operations.audit.list(AuditFilter(limit=1))[0].key

    reader.post_all("/runs/bulk/retry", ("run", str(scene.running.id)))

    assert scene.operations.audit.list(AuditFilter(limit=1))[0].key == before


def breaking(cancel: Callable[..., Run], error: SchedulerdError, *, at: int) -> Callable[..., Run]:
    """What cancels runs, but for the one that it is asked for as this one, and those after it."""
    asked = []

    def instead(selector: str, **said: Any) -> Run:
        asked.append(selector)
        if len(asked) > at:
            raise AssertionError("it was asked again")
        if len(asked) == at:
            raise error
        return cancel(selector, **said)

    return instead


@pytest.mark.parametrize(
    "error", [StoreUnavailable("the database does not answer"), SchedulerdError("it went wrong")]
)
def test_one_that_breaks_off_is_told_with_what_was_done_before_and_so_is_the_audit(
    scene: PageScene, reader: Reader, monkeypatch: pytest.MonkeyPatch, error: SchedulerdError
) -> None:
    runs = scene.operations.runs
    monkeypatch.setattr(runs, "cancel", breaking(runs.cancel, error, at=2))

    done = reader.post_all(
        "/runs/bulk/cancel", ("run", str(scene.running.id)), ("run", str(scene.waiting.id))
    )

    assert done.status_code == 200
    assert done.text.count("It is told to end.") == 1
    assert done.text.count(error.message) == 1
    entry = scene.operations.audit.list(AuditFilter(limit=1))[0]
    assert (entry.change.what, entry.change.target) == ("runs.cancel", "etl#3")


def test_without_the_database_the_rest_is_not_tried(
    scene: PageScene, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, away = scene.operations.runs, StoreUnavailable("the database does not answer")
    monkeypatch.setattr(runs, "cancel", breaking(runs.cancel, away, at=1))

    done = reader.post_all(
        "/runs/bulk/cancel", ("run", str(scene.running.id)), ("run", str(scene.waiting.id))
    )

    assert done.text.count(away.message) == 2
