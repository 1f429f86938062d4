"""A flow, a schedule and an agent have pages and API paths whatever they are called; every link to them leads there."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.access import Role
from schedulerd.domain.run_filters import term_text, terms
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState
from schedulerd.web.rendering import TEMPLATES
from schedulerd.web.segments import name_of, segment, with_whole_segments
from tests.builders import A_SECOND, NOW, a_file, a_flow, a_schedule
from tests.migrated import new_database
from tests.store.scenes import add, claim, move
from tests.web.entering import House

API: Final = "/api/v1"
ABOUT: Final = ("/flows", "/schedules", "/runs?")
NEW: Final = re.compile(r"/(flows|schedules)/new(/|\?|$)")
NAMES: Final = [
    "team/etl",
    "a/b/c/run",
    "/",
    "//",
    "a?b",
    "a#b",
    "100 %",
    "50%2F50",
    "일일-정산 / 서울",
    ".",
    "..",
    "../..",
    "  leading",
    "trailing ",
    "new",
    "new/file",
    "preview",
    "runs",
    "a~b",
    "a~2Fb",
    "~",
    "back\\slash",
    'quo"te',
    "it's",
    "a+b&c=d;e,f:g@h",
    "<b>",
    "x" * 250,
    "line\nend",
    "a*b",
    "🎉",
]


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_every_name_is_one_segment_that_stands_for_it_alone(name: str) -> None:
    made = segment(name)

    assert name_of(unquote(made)) == name
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", made)
    assert made not in (".", "..", "new")
    assert "%2f" not in made.lower()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_is_percent_encoded_as_programs_do_is_one_segment_too(name: str) -> None:
    raw = f"/flows/{quote(name.replace('~', '~7E'), safe='')}/run".encode()
    scope = with_whole_segments({"type": "http", "path": unquote(raw.decode()), "raw_path": raw})

    found = re.fullmatch(r"/flows/([^/]+)/run", scope["path"], re.DOTALL)

    assert found is not None
    assert name_of(found[1]) == name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Mapping[str, Run]]]:
    """Of each name a flow and a schedule, with a run that failed."""
    folder = tmp_path_factory.mktemp("names")
    database = new_database(folder)
    with House(database, folder) as house:
        yield house, {name: history(house, name, number) for number, name in enumerate(NAMES)}
    database.close()


def history(house: House, name: str, number: int) -> Run:
    with house.database.write() as tx:
        flow = a_flow(name, file=f"flows/x{number}.py")
        (key,) = tx.flows.put_file(a_file(flow, source="x = 1\n", version=f"{number:064}"), now=NOW)
        definition = a_schedule(name, flow=name)
        tx.schedules.put(definition, flow=key, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)
        add(tx, key)
        (run,) = claim(tx)
        move(tx, run.key, RunState.RUNNING)
        move(tx, run.key, RunState.FAILED, at=NOW + A_SECOND, reason="x")
        return tx.runs.by_key(run.key)


def links(page: str) -> set[str]:
    """Where its links and forms lead, without the part after `#`. A browser takes dots for folders: there are none."""
    found = {unescape(one) for one in re.findall(r'(?:href|action|data-strip)="([^"]*)"', page)}
    paths = {one.partition("#")[0] for one in found if one.startswith(ABOUT) and not NEW.match(one)}
    parts = {part.lower().replace("%2e", ".") for one in paths for part in urlsplit(one).path.split("/")}
    assert not parts & {".", ".."}
    return paths


def test_every_link_to_a_flow_and_a_schedule_leads_to_its_page(
    runs: tuple[House, Mapping[str, Run]],
) -> None:
    house, known = runs
    guest, met = house.guest(Role.OPERATOR), set[str]()
    left = {"/flows", "/schedules", *(f"/runs/{run.id}" for run in known.values())}
    while left:
        address = left.pop()
        met.add(address)
        answer = guest.get(address)
        assert answer.status_code in (200, 302, 405, 409), (address, answer.status_code)
        left |= links(answer.text) - met if address.startswith(ABOUT[:2]) else set()

    for name in NAMES:
        here = segment(name)
        assert {f"/flows/{here}", f"/flows/{here}/params", f"/flows/{here}/versions"} <= met
        assert {
            f"/schedules/{here}",
            f"/flows/{here}/run",
            f"/runs?{urlencode({'q': term_text('flow', name)})}",
        } <= met


def test_what_is_done_at_a_page_is_done_to_what_has_that_name(runs: tuple[House, Mapping[str, Run]]) -> None:
    house, known = runs
    guest = house.guest(Role.OPERATOR)
    for number, (name, run) in enumerate(known.items()):
        here = segment(name)
        form = {"reason": "x", "next": f"/schedules/{here}"}

        started = guest.post(f"/flows/{here}/run", data={"key": f"form-{number}"})
        paused = guest.post(f"/schedules/{here}/pause", data=form)
        shown = guest.get(paused.headers["location"])

        assert [one.status_code for one in (started, paused, shown)] == [303, 303, 200], name
        assert house.asked.schedules.get(name).paused is not None
        assert str(run.id) in guest.get("/runs", params={"q": term_text("flow", name)}).text


def test_the_api_has_each_by_its_name_percent_encoded_or_not(runs: tuple[House, Mapping[str, Run]]) -> None:
    house, known = runs
    guest = house.guest(Role.OPERATOR)
    for name in known:
        written = {segment(name)}
        if (
            name not in (".", "..") and "%" not in name
        ):  # clients take dots for folders, and this one decodes `%` twice
            written.add(quote(name.replace("~", "~7E"), safe=""))
        for one in written:
            answers = [
                guest.get(f"{API}/flows/{one}"),
                guest.get(f"{API}/schedules/{one}"),
                guest.get(f"{API}/schedules/{one}/definition"),
            ]
            started = guest.post(f"{API}/flows/{one}/runs", json={})
            found = guest.get(f"{API}/flows/{one}/runs?limit=1")
            (after,) = re.findall(r'<([^>]+)>; rel="next"', found.headers["link"])

            assert [each.json()["name"] for each in answers] == [name] * 3
            assert (started.status_code, started.json()["flow"]) == (201, name)
            if "*" not in name:  # which stands for anything in filters
                assert found.json()["items"][0]["flow"] == guest.get(after).json()["items"][0]["flow"]
        if not {"*", ","} & set(name):
            of_flow = guest.get(f"{API}/runs", params={"flow": name}).json()["items"]
            assert {each["flow"] for each in of_flow} == {name}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_term_says_just_that_name(name: str) -> None:
    (term,) = terms(term_text("flow", name))

    assert (term.key, term.values) == ("flow", (name,))


def test_a_stranger_comes_to_the_page_of_such_a_name_after_the_sign_in(
    runs: tuple[House, Mapping[str, Run]],
) -> None:
    house, _ = runs
    here = f"/flows/{segment('team/a?b 100 %')}?x=1"
    wanted = house.stranger().get(here).headers["location"]

    login = house.stranger().get(wanted).text.partition('action="/login"')[2]

    assert re.findall(r'name="next" value="([^"]+)"', login)[0] == here


def test_an_encoded_slash_opens_nothing_that_a_slash_would(runs: tuple[House, Mapping[str, Run]]) -> None:
    stranger = runs[0].stranger()
    paths = ("/static%2Fx/app.css", "/enter%2Fx", "/login%2f", "/api/v1%2fme", "/flows/x%2F..%2Flogin")

    assert {stranger.get(path).status_code for path in paths} <= {303, 401}


def test_no_template_and_no_page_puts_a_name_into_a_path_in_another_way() -> None:
    for path in Path(TEMPLATES).glob("*.html"):
        assert re.findall(r"/\{\{[^}]*\| *urlencode", path.read_text()) == [], path
        assert "'flow:' ~" not in path.read_text(), path
    for path in TEMPLATES.parent.rglob("*.py"):
        assert re.findall(r"/\{quote\(", path.read_text()) == [], path
