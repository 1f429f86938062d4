"""The last runs of a flow: their picture, the list that takes its place, and what programs are told."""

import re

from schedulerd.domain.states import RunState
from tests.store.scenes import add, add_in, move
from tests.web.page_scene import PageScene, Reader


def test_picture_list_and_api_tell_the_same_runs(scene: PageScene, reader: Reader) -> None:
    """Point 27, of the server."""
    with scene.database.write() as tx:
        for state in (*[RunState.FAILED] * 6, *[RunState.COMPLETED] * 28):
            add_in(tx, scene.flow, state)

    told = reader.get("/api/v1/flows/etl/strip").json()
    listed = reader.get("/flows/etl/strip").text
    pictures = [
        re.search(r'data-strip="/flows/etl/strip".*?aria-label="([^"]*)"', reader.get(path).text)
        for path in ("/flows", "/flows/etl")
    ]

    assert len(told["items"]) == 30
    assert [one["number"] for one in told["items"]] == list(range(8, 38))
    words = ", ".join(f"{count} {state}" for state, count in told["counts"].items())
    assert sum(told["counts"].values()) == 30
    assert [found and found[1] for found in pictures] == [f"Newest runs: {words}"] * 2
    assert f'aria-label="Newest runs: {words}"' in listed
    assert re.findall(r'data-href="/runs/([^"]*)"', listed) == [one["id"] for one in told["items"]]


def test_a_run_that_was_missed_counts_as_that(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        assert move(tx, add(tx, scene.flow), RunState.SKIPPED, reason="misfire")

    assert reader.get("/api/v1/flows/etl/strip").json()["counts"]["missed"] == 1
    assert "etl #4: missed" in reader.see("/flows/etl/strip").text


def test_of_a_flow_that_never_ran_there_is_no_picture_and_of_none_there_is_no_list(reader: Reader) -> None:
    assert reader.get("/flows/nowhere/strip").status_code == 404
    assert reader.get("/api/v1/flows/nowhere/strip").status_code == 404
