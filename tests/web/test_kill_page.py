"""The page that asks before a run is killed."""

import pytest

from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.states import RunState
from tests.store.scenes import move
from tests.web.page_scene import PageScene, Reader


def test_a_run_that_is_being_cancelled_can_be_killed_which_says_what_it_does_before(
    scene: PageScene, reader: Reader
) -> None:
    here = f"/runs/{scene.running.id}"
    before = reader.get(here).text
    with scene.database.write() as tx:
        move(tx, scene.running.key, RunState.CANCELLING, actor="lee")

    during = reader.get(here).text
    asked = reader.see(f"{here}/kill").text
    done = reader.post(f"{here}/kill", reason="it is deaf")

    assert (f"{here}/kill" in before, f"{here}/cancel" in before) == (False, True)
    assert (f"{here}/kill" in during, f"{here}/cancel" in during) == (True, False)
    assert "It was told to end" in asked
    assert "(lee)" in asked
    assert "It is killed at once (SIGKILL)" in asked
    assert (done.status_code, done.headers["location"]) == (303, here)
    with scene.database.read() as tx:
        (wish,) = tx.runs.cancel_wishes()
    assert (wish.kills, wish.reason) == (True, "it is deaf")
    (entry,) = [one for one in scene.operations.audit.list(AuditFilter()) if one.change.what == "runs.kill"]
    assert (entry.change.target, entry.change.after) == (scene.running.selector, {"reason": "it is deaf"})


@pytest.mark.parametrize("deed", ["cancel", "kill"])
def test_that_a_schedule_goes_on_is_said_where_one_does(scene: PageScene, reader: Reader, deed: str) -> None:
    said = "Its schedule goes on."
    asks = f"/runs/{scene.running.id}/{deed}"
    with_one = reader.see(asks).text
    scene.operations.schedules.pause("etl-morning", actor="kim", reason="")
    with_a_paused_one = reader.see(asks).text
    with scene.database.write() as tx:
        tx.schedules.remove("etl-morning", now=scene.clock.now())

    assert [said in page for page in (with_one, with_a_paused_one, reader.see(asks).text)] == [
        True,
        False,
        False,
    ]
