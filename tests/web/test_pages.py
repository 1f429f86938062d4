"""The pages, as a browser without scripts gets them."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.states import RunState
from schedulerd.operations.operations import Operations
from schedulerd.operations.runs import RunDetails, Runs
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.store.scenes import add, move
from tests.web.page_scene import Looker, PageScene, Reader

EVERY_PAGE = (
    *(
        "/runs",
        "/runs?q=state:bad",
        "/runs?q=flow:etl+since:24h",
        "/flows",
        "/flows?q=none",
        "/flows/etl",
        "/flows/etl/params",
        "/flows/etl/graph",
    ),
    *("/flows/etl/versions", "/flows/etl/run", "/schedules", "/schedules/etl-morning", "/agents", "/system"),
    *(
        "/runs/{failed}",
        "/runs/{failed}/graph",
        "/runs/{waiting}/graph",
        "/runs/{failed}/logs",
        "/runs/{failed}/result",
        "/runs/{failed}/params",
        "/runs/{failed}/moves",
    ),
    *(
        "/runs/{failed}/retry",
        "/runs/{failed}/rerun",
        "/runs/{running}",
        "/runs/{running}/cancel",
        "/runs/{waiting}",
    ),
    *("/runs/{waiting}/logs", "/settings"),
)


def at(path: str, scene: PageScene) -> str:
    return path.format(failed=scene.failed.id, running=scene.running.id, waiting=scene.waiting.id)


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_every_page_is_whole_small_and_without_anything_inline(
    path: str, scene: PageScene, reader: Reader
) -> None:
    answer = reader.get(at(path, scene))
    html = answer.text

    assert answer.status_code == 200
    assert "</html>" in html
    assert len(html) <= 80 * 1024
    assert len(re.findall("<h1", html)) == 1
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|hx-on|<script(?! src=)", html)
    assert not re.search(r'(?:src|href|action)="https?:', html)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["server-timing"].startswith("total;dur=")


def test_every_page_is_there_whatever_the_database(database: Database, tmp_path: Path) -> None:
    scene = PageScene(database, tmp_path)
    with scene.client() as reader:
        for path in EVERY_PAGE:
            assert reader.get(at(path, scene)).status_code == 200, path


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_no_two_elements_of_a_page_have_one_id(path: str, scene: PageScene, reader: Reader) -> None:
    ids = reader.see(at(path, scene)).ids

    assert sorted(ids) == sorted(set(ids))


def test_the_runs_are_listed_newest_first_with_what_became_of_them(scene: PageScene, reader: Reader) -> None:
    page = reader.see("/runs")

    assert [one for one in page.ids if re.fullmatch(r"run-\d+", one)] == [
        f"run-{run.key}" for run in (scene.waiting, scene.running, scene.failed)
    ]
    assert "failed" in page.text
    assert "KeyError: 'region'" in page.text


def test_tabs_keep_the_rest_of_the_filter(scene: PageScene, reader: Reader) -> None:
    html = reader.get("/runs?q=flow:etl+state:bad").text

    assert re.search(r'href="/runs\?q=state%3Aok\+flow%3Aetl"', html)
    assert re.search(r'href="/runs\?q=state%3Abad\+flow%3Aetl" aria-current="true"', html)


def test_a_wrong_filter_is_told_with_its_place(reader: Reader) -> None:
    page = reader.see("/runs?q=stat:bad", status=400)

    assert "state" in page.text
    assert "^^^^" in page.text


def test_older_runs_are_a_link_away_and_newer_ones_too(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        for _ in range(60):
            move(tx, add(tx, scene.flow), RunState.CANCELLED)

    first = reader.get("/runs")
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = reader.get(older[1].replace("&amp;", "&"))
    newer = re.search(r'href="([^"]+)" rel="prev"', second.text)
    assert newer

    assert len(re.findall(r'<tr id="run-', first.text)) == 50
    assert len(re.findall(r'<tr id="run-', second.text)) == 13
    assert re.findall(r'<tr id="run-\d+', reader.get(newer[1].replace("&amp;", "&")).text) == re.findall(
        r'<tr id="run-\d+', first.text
    )


def test_who_reads_keeps_the_rows_that_are_there_and_is_told_how_many_are_newer(
    scene: PageScene, reader: Reader
) -> None:
    before = reader.get("/runs").text
    top = re.search(r'data-top="([^"]+)"', before)
    assert top
    with scene.database.write() as tx:
        for _ in range(3):
            add(tx, scene.flow)

    kept = reader.get(f"/runs?top={top[1]}").text

    assert re.findall(r'<tr id="run-\d+', kept) == re.findall(r'<tr id="run-\d+', before)
    assert "3 new runs: show" in kept


def test_a_failed_run_says_why_and_where(scene: PageScene, reader: Reader) -> None:
    page = reader.see(f"/runs/{scene.failed.id}")

    assert "Why it failed KeyError: 'region' in task load at flows/etl.py:88" in page.text
    assert {"task-1", "task-2", "traceback"} <= set(page.ids)


def test_a_run_can_be_named_as_people_do(scene: PageScene, reader: Reader) -> None:
    answer = reader.get(f"/flows/etl/runs/{scene.failed.number}")

    assert (answer.status_code, answer.headers["location"]) == (302, f"/runs/{scene.failed.id}")


def test_what_runs_were_given_is_text(scene: PageScene, reader: Reader) -> None:
    html = reader.get(f"/runs/{scene.waiting.id}/params").text

    assert "&lt;b&gt;kr&lt;/b&gt;" in html
    assert "<b>kr</b>" not in html


def test_a_flow_is_run_with_parameters_and_twice_clicked_once(scene: PageScene, reader: Reader) -> None:
    key = re.search(r'name="key" value="([^"]+)"', reader.get("/flows/etl/run").text)
    assert key
    fields = {"p.days": "7", "p.region": "kr", "key": key[1]}

    first = reader.post("/flows/etl/run", **fields)
    again = reader.post("/flows/etl/run", **fields)

    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    run = scene.operations.runs.get(first.headers["location"].rpartition("/")[2])
    assert run.parameters == {"days": 7, "region": "kr"}
    assert "The run is started." in reader.see(first.headers["location"]).text


def test_parameters_that_do_not_fit_are_told_at_their_fields_and_nothing_typed_is_lost(
    reader: Reader,
) -> None:
    answer = reader.post("/flows/etl/run", **{"p.days": "many", "key": "form-1"})

    assert answer.status_code == 422
    assert "2 fields need attention" in answer.text
    assert 'value="many"' in answer.text
    assert "this is required" in answer.text


def test_a_run_is_run_again_with_another_value_which_is_marked(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/rerun"

    form = reader.get(path).text
    wrong = reader.post(path, **{"p.days": "x", "p.region": "us", "key": "form-2"}).text
    right = reader.post(path, **{"p.days": "", "p.region": "us", "key": "form-2"})

    assert 'value="kr"' in form
    assert "was <code>kr</code>" in wrong
    run = scene.operations.runs.get(right.headers["location"].rpartition("/")[2])
    assert run.parameters == {"region": "us"}


def test_to_cancel_one_is_told_what_will_happen_and_the_history_says_who_did(
    scene: PageScene, reader: Reader
) -> None:
    path = f"/runs/{scene.running.id}/cancel"

    asked = reader.see(path)
    done = reader.post(path, reason="wrong region")
    too_late = reader.post(f"/runs/{scene.failed.id}/cancel")

    assert "It is told to end" in asked.text
    assert (done.status_code, done.headers["location"]) == (303, f"/runs/{scene.running.id}")
    with scene.database.read() as tx:
        (wish,) = tx.runs.cancel_wishes()
    assert wish.reason == "wrong region"
    assert too_late.status_code == 409
    assert "has ended" in too_late.text or "failed" in too_late.text


def test_a_failed_run_is_tried_again_from_its_failure(scene: PageScene, reader: Reader) -> None:
    path = f"/runs/{scene.failed.id}/retry"

    answer = reader.post(path, **{"from": "failed"})

    assert answer.status_code == 303
    assert scene.operations.runs.get(str(scene.failed.id)).state is RunState.RETRYING


def test_a_schedule_is_paused_with_a_reason_and_resumed(scene: PageScene, reader: Reader) -> None:
    paused = reader.post("/schedules/etl-morning/pause", reason="moving house", next="/schedules")
    listed = reader.see("/schedules")
    shown = reader.see("/schedules/etl-morning")
    resumed = reader.post("/schedules/etl-morning/resume", next="//evil.test/")

    assert (paused.status_code, paused.headers["location"]) == (303, "/schedules")
    assert "paused" in listed.text
    assert "moving house" in shown.text
    assert resumed.headers["location"] == "/"
    assert scene.operations.schedules.get("etl-morning").paused is None


def test_the_chart_of_the_dashboard_covers_just_what_it_says(scene: PageScene, reader: Reader) -> None:
    ends = re.findall(r'datetime="([^"]+)"', reader.get("/").text.partition("chart-ends")[2])[:2]

    assert datetime.fromisoformat(ends[1]) - datetime.fromisoformat(ends[0]) == timedelta(hours=24)


@pytest.mark.parametrize(
    "path",
    [
        *("/flows/etl/runs/{nines}", "/runs/etl%23{nines}", "/runs/{failed}/logs?line={nines}"),
        *("/runs/{failed}/logs/chunk?before={nines}", "/runs/{failed}/logs/chunk?after={nines}"),
        *("/api/v1/runs/etl%23{nines}", "/api/v1/runs/{failed}/logs?since_line={nines}"),
    ],
)
def test_a_number_beyond_all_is_refused_and_no_fault(path: str, scene: PageScene, reader: Reader) -> None:
    assert reader.get(path.format(failed=scene.failed.id, nines="9" * 26)).status_code in (404, 422)


class Meanwhile:
    """The runs, of which one goes on while somebody is still being shown it."""

    def __init__(self, runs: Runs, deed: Callable[[], object]) -> None:
        self._runs = runs
        self._deed = deed

    def __getattr__(self, name: str) -> object:
        return getattr(self._runs, name)

    def details_seen(self, selector: str) -> tuple[RunDetails, str]:
        found = self._runs.details_seen(selector)
        self._deed()
        return found


@pytest.mark.parametrize("tab", ["", "/moves", "/logs"])
def test_what_changes_while_a_page_is_made_is_no_part_of_what_it_says_to_show(
    tab: str, scene: PageScene, reader: Reader
) -> None:
    run = scene.running

    def end() -> None:
        with scene.database.write() as tx:
            move(tx, run.key, RunState.FAILED)

    scene.operations.runs = Meanwhile(scene.operations.runs, end)  # type: ignore[assignment, misc]
    html = reader.get(f"/runs/{run.id}{tab}").text

    assert 'data-run-state="running"' in html
    now = scene.operations.snapshots.take((run.id,)).fingerprint(every=False, of=(run.id,))
    assert f'data-seen="{now}"' not in html


def test_what_there_is_not_is_told_as_a_page_to_people_and_as_a_document_to_programs(reader: Reader) -> None:
    page = reader.get("/runs/ffffffff")
    nowhere = reader.get("/nowhere")
    document = reader.get("/api/v1/nowhere")

    assert page.status_code == nowhere.status_code == document.status_code == 404
    assert "There is nothing here" in page.text
    assert "there is no run &#39;ffffffff&#39;" in page.text
    assert nowhere.headers["content-type"].startswith("text/html")
    assert document.json()["type"] == "/problems/not-found"


def test_a_page_is_in_the_language_of_the_reader(reader: Reader) -> None:
    english = reader.get("/runs")
    korean = reader.get("/runs", accept_language="ko-KR")

    assert 'lang="en"' in english.text
    assert 'lang="ko"' in korean.text
    assert korean.headers["content-language"] == "ko"
    assert "Cookie" in korean.headers["vary"]


def test_the_appearance_is_kept_in_a_cookie_and_made_by_the_server(reader: Reader) -> None:
    answer = reader.post("/appearance", theme="dark", next="/runs")

    assert answer.status_code == 303
    assert 'data-theme="dark"' in reader.get("/runs").text
    reader.post("/appearance", theme="system")
    assert "data-theme" not in reader.get("/runs").text


def test_static_files_are_kept_for_ever_and_packed(reader: Reader) -> None:
    url = re.search(r'href="(/static/[^"]+\.css)"', reader.get("/runs").text)
    assert url

    whole = reader.get(url[1], accept_encoding="identity")
    packed = reader.get(url[1], accept_encoding="gzip")
    other = reader.get(url[1].replace("/static/", "/static/0"))

    assert "immutable" in whole.headers["cache-control"]
    assert whole.headers["content-type"].startswith("text/css")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == whole.text
    assert other.status_code == 404
    assert reader.get(url[1].rpartition("/")[0] + "/../../app.py").status_code == 404


def test_another_host_is_not_answered_and_another_site_cannot_post(reader: Reader) -> None:
    assert reader.get("/runs", host="evil.test").status_code == 421
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.test"}):
        refused = reader._client.post("/appearance", data={"theme": "dark"}, headers=headers)
        assert refused.status_code == 403


def test_the_dashboard_tells_what_needs_attention_what_runs_and_what_comes(
    scene: PageScene, reader: Reader
) -> None:
    with scene.database.write() as tx:
        move(tx, scene.running.key, RunState.FAILED, at=NOW)
    page = reader.see("/")

    assert "No daemon runs" in page.text
    assert "failed etl #2" in page.text
    assert "etl-morning" not in page.text
    assert "Up next" in page.text
    assert "KeyError: 'region'" in page.text
    assert "2 failed" in page.text


def test_without_the_database_the_dashboard_says_so(scene: PageScene, tmp_path: Path) -> None:
    database = Database(scene.database.url)
    scene.operations = Operations(database, state_dir=tmp_path, clock=scene.clock)
    file = Path(database.url.removeprefix("sqlite:///"))
    with scene.client() as reader:
        reader.see("/")  # who is known for a moment need not be looked up
        database.close()
        kept = file.rename(file.with_suffix(".kept"))
        file.mkdir()
        answer = reader.get("/")
        file.rmdir()
        kept.rename(file)
    page = Looker(answer.text)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The database does not answer" in page.text
    assert "No daemon runs." in page.text


def test_a_viewer_is_not_offered_what_changes_something(scene: PageScene) -> None:
    with scene.client(Role.VIEWER) as viewer:
        html = viewer.get(f"/runs/{scene.failed.id}").text

    assert f"/runs/{scene.failed.id}/retry" not in html
