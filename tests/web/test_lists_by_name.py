"""Lists in the order of names, a page at a time."""

import re
from pathlib import Path

import pytest

from schedulerd.store.database import Database
from tests.builders import NOW, a_file, a_flow, a_schedule
from tests.web.page_scene import PageScene


@pytest.mark.parametrize(("path", "row"), [("/flows", "flow"), ("/schedules", "schedule")])
def test_from_page_to_page_each_one_is_listed_once(
    database: Database, tmp_path: Path, path: str, row: str
) -> None:
    scene = PageScene(database, tmp_path)
    with database.write() as tx:
        for number in range(60):
            name = f"{'Aa'[number % 2]}{number}"  # databases differ in how they order these
            tx.flows.put_file(a_file(a_flow(name)), now=NOW)
            flow = tx.flows.get(name).key
            tx.schedules.put(a_schedule(name), flow=flow, watermark=NOW, next_due=None, now=NOW)
    listed: list[str] = []
    at: str | None = path

    with scene.client() as reader:
        while at is not None:
            html = reader.get(at).text
            listed += re.findall(rf'<tr id="{row}-(\d+)"', html)
            following = re.search(r'href="([^"]+)" rel="next"', html)
            at = None if following is None else following[1].replace("&amp;", "&")

    assert len(listed) == 61
    assert len(set(listed)) == 61


def test_of_a_flow_with_very_many_schedules_the_first_are_shown_and_a_way_to_all(
    database: Database, tmp_path: Path
) -> None:
    scene = PageScene(database, tmp_path)
    with database.write() as tx:
        tx.flows.put_file(a_file(a_flow("many")), now=NOW)
        flow = tx.flows.get("many").key
        for number in range(53):
            tx.schedules.put(a_schedule(f"many-{number}"), flow=flow, watermark=NOW, next_due=None, now=NOW)

    with scene.client() as reader:
        html = reader.get("/flows/many").text

    assert len(re.findall(r'<tr id="schedule-\d+"', html)) == 50
    assert re.findall(r'href="(/schedules\?q=[^"]+)">([^<]+)<', html) == [
        ("/schedules?q=many", "Schedules: +3")
    ]
