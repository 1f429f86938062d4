"""The palette: what is meant by a few typed words, for whom, and in which language."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.version import __version__
from tests.builders import BOOT, NOW, a_command, a_schedule
from tests.web.page_scene import PageScene, Reader


@pytest.fixture
def viewer(scene: PageScene) -> Iterator[Reader]:
    with scene.client(Role.VIEWER) as reader:
        yield reader


def choices(reader: Reader, q: str, **headers: str) -> dict[str, str]:
    """What can be chosen, in its order: where it leads, what it sets, or what typing goes on with."""
    html = reader.get(f"/palette?{_query(q)}", **headers).text
    found = re.finditer(
        r'<(?:a|button)([^>]*) role="option"[^>]*>.*?<span class="of">(.*?)</span>', html, re.DOTALL
    )
    return {title: _where(attributes) for attributes, title in (one.groups() for one in found)}


def _query(q: str) -> str:
    return urlencode({"q": q, "part": "choices"})


def _where(attributes: str) -> str:
    if fill := re.search(r'data-fill="([^"]*)"', attributes):
        return f"typing {fill[1]}".replace("&gt;", ">")
    if sets := re.search(r'name="(\w+)" value="([^"]*)"', attributes):
        return f"{sets[1]}={sets[2]}"
    href = re.search(r'href="([^"]*)"', attributes)
    assert href
    return href[1].replace("&amp;", "&")


def test_a_name_leads_first_to_what_has_it(reader: Reader) -> None:
    found = choices(reader, "etl")

    assert next(iter(found.items())) == ("etl", "/flows/etl")
    assert found["etl-morning"] == "/schedules/etl-morning"
    assert found["Run flow: etl"] == "/flows/etl/run"
    assert list(found.items())[-1] == ("Runs that have “etl”", "/runs?q=etl")


def test_a_page_comes_before_a_flow_that_only_has_its_name_within(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        tx.flows.put_command(a_command("prune-runs", "true"), now=NOW)

    assert next(iter(choices(reader, "runs").items())) == ("Runs", "/runs")


def test_with_nothing_typed_there_are_the_pages(reader: Reader) -> None:
    found = choices(reader, "")

    assert found["Dashboard"] == "/"
    assert found["New schedule"] == "/schedules/new"
    for path in found.values():
        assert reader.get(path).status_code in (200, 403), (
            path
        )  # one writes nothing where there is no folder for it


def test_actions_are_those_of_ones_role(reader: Reader, viewer: Reader) -> None:
    mine, theirs = choices(reader, ">"), choices(viewer, ">")

    assert mine["Run flow…"] == "typing > Run flow: "
    assert mine["Go to the newest failing run"].startswith("/runs/")
    assert mine["Colours: dark"] == "theme=dark"
    assert {"Colours: dark", "Language: 한국어", "Time zone…", "Go to the newest failing run"} <= set(theirs)
    assert not [one for one in theirs if one.startswith(("Run", "Pause", "Resume", "Cancel"))]
    assert "New schedule" not in choices(viewer, "")
    assert "Run flow: etl" not in choices(viewer, "> run etl")


def test_an_action_goes_on_with_a_name(scene: PageScene, reader: Reader) -> None:
    assert choices(reader, "> Run flow: ") == {"Run flow: etl": "/flows/etl/run"}
    assert choices(reader, ">pause") == {
        "Pause schedule…": "typing > Pause schedule: ",
        "Pause schedule: etl-morning": "/schedules/etl-morning#pause",
    }
    assert choices(reader, ">cancel etl#2") == {"Cancel run: etl#2": f"/runs/{scene.running.id}/cancel"}

    scene.operations.schedules.pause("etl-morning", actor="minji", reason="audit")

    assert choices(reader, ">resume etl") == {"Resume schedule: etl-morning": "/schedules/etl-morning"}


def test_a_zone_is_chosen_by_a_part_of_its_name_and_kept(reader: Reader) -> None:
    assert choices(reader, "> zone seoul") == {"Time zone: Asia/Seoul": "tz=Asia/Seoul"}

    answer = reader.post("/appearance", tz="Asia/Seoul", next="/runs")
    wrong = reader.post("/appearance", tz="Mars/Olympus")

    assert 'tz="Asia/Seoul"' in answer.headers["set-cookie"]
    assert wrong.status_code == 422
    assert 'class="zone" title="Times on this page are in this zone">Asia/Seoul<' in reader.get("/runs").text
    assert "Asia%2FSeoul" not in reader.get("/runs", cookie="tz=Asia%2FSeoul").text
    assert reader.post("/appearance", tz="browser").headers["set-cookie"].startswith('tz="";')


def test_runs_are_found_by_number_by_flow_and_by_id(scene: PageScene, reader: Reader) -> None:
    failed = {scene.failed.selector: f"/runs/{scene.failed.id}"}

    assert choices(reader, "#1") == failed
    assert choices(reader, "# etl 1") == failed
    assert choices(reader, f"#{scene.failed.id}") == failed
    assert list(choices(reader, "#etl")) == ["etl#3", "etl#2", "etl#1"] == list(choices(reader, "#"))
    assert next(iter(choices(reader, "etl#1").items())) == next(iter(failed.items()))
    assert choices(reader, "#99999999999999999999") == {}


def test_agents_are_found_by_name_and_host(scene: PageScene, reader: Reader) -> None:
    beat = AgentBeat(
        name="agent-1",
        host="seoul-1",
        pid=1,
        version=__version__,
        boot_id=BOOT,
        started_at=NOW,
        beat_at=NOW,
        status={},
    )
    with scene.database.write() as tx:
        tx.agents.beat(beat)

    assert choices(reader, "@seoul") == {"agent-1": "/agents/agent-1"}


def test_an_expression_is_explained_with_its_next_times(reader: Reader, viewer: Reader) -> None:
    page = reader.see("/palette?q=0+9+*+*+1-5&part=choices")

    assert "at 09:00 on Monday to Friday, UTC" in page.text
    assert len(re.findall(r"(?:Mon|Tue|Wed|Thu|Fri) \d{4}-\d\d-\d\d 09:00:00", page.text)) == 5
    assert choices(reader, "0 9 * * 1-5") == {
        "New schedule at these times": "/schedules/new?kind=cron&cron=0+9+%2A+%2A+1-5&timezone=UTC"
    }
    assert choices(viewer, "@daily") == {}
    assert "at 00:00 every day" in viewer.see("/palette?q=@daily&part=choices").text
    assert "'25' is not one of 0-23" in reader.see("/palette?q=0+25+*+*+*").text


def test_in_korean_initial_consonants_and_composed_letters_find_names(
    scene: PageScene, reader: Reader
) -> None:
    with scene.database.write() as tx:
        tx.flows.put_command(a_command("배치", "true"), now=NOW)

    for text in (
        "ㅂㅊ",
        "배ㅊ",
        "\u1107\u1162\u110e\u1175",
    ):  # the last one is 배치 as a file system composes it
        assert next(iter(choices(reader, text))) == "배치", text
        assert 'href="/flows/%EB%B0%B0%EC%B9%98"' in reader.get(f"/flows?q={text}").text
    korean = choices(reader, ">실행", accept_language="ko")
    assert korean["플로우 실행: 배치"] == "/flows/%EB%B0%B0%EC%B9%98/run"
    assert "색상: 어둡게" in choices(reader, ">", accept_language="ko")
    assert "플로우 실행: etl" in choices(reader, ">run etl", accept_language="ko")


def test_many_flows_make_a_short_list(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        for number in range(30):
            tx.flows.put_command(a_command(f"load-{number}", "true"), now=NOW)

    found = choices(reader, "load")

    assert len(found) <= 20
    assert sum(path.startswith("/flows/load-") and not path.endswith("/run") for path in found.values()) == 8


def test_without_scripts_the_same_stands_on_a_page_of_its_own(scene: PageScene, reader: Reader) -> None:
    html = reader.get("/palette?q=etl").text

    assert '<a href="/flows/etl" id="choice-1-1" class="choice">' in html
    assert 'role="option"' not in html
    assert 'href="/palette" data-palette' in reader.get("/runs").text


def test_what_flows_are_called_is_text(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        definition = a_schedule("<b>bold</b>")
        tx.schedules.put(definition, flow=scene.flow, watermark=NOW, next_due=None, now=NOW)

    html = reader.get("/palette?q=bold&part=choices").text

    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>bold" not in html
