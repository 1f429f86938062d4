"""What goes wrong is told in Korean to whom reads Korean: on the pages of problems, at the fields of forms, in the editor."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role
from tests.migrated import new_database
from tests.web.browser.world import World
from tests.web.entering import ROOT, cookie_for, visitor
from tests.web.test_languages import Texts

# Names, keys and words of expressions, which are the same in each language.
_NAMES = re.compile(
    r"etl|nightly|viewer|operator|admin|minji|UTC|RFC|cron|every|at|jitter|timezone|name|flow|start|end|rows|region"
    r"|now|today|yesterday|state|until|audit|over|the"
)
_TOLD = re.compile(
    r'(?s)<div class="(?:problem|trouble)".*?</div>|<(p|strong) class="(?:error|detail|mend)".*?</\1>'
    r'|<div class="palette-said">.*?</div>|<p id="preview-sentence".*?</p>'
)
_EDITOR = {"name": "new", "flow": "etl", "timezone": "UTC", "overlap": "skip", "catchup": "latest"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with World(new_database(folder), folder) as served:
        yield served


@pytest.fixture(scope="module")
def korean(world: World) -> Iterator[TestClient]:
    with visitor(world.new_app(), world.cookie) as client:
        client.headers["Accept-Language"] = "ko"
        yield client


@pytest.fixture(scope="module")
def viewer(world: World) -> Iterator[TestClient]:
    with visitor(world.new_app(), cookie_for(world.operations, Role.VIEWER)) as client:
        client.headers["Accept-Language"] = "ko"
        yield client


def english_in(html: str) -> list[str]:
    """The words of English in what somebody is told is wrong. Code, and what stands in quotes, is in no language."""
    whole = " ".join(found[0] for found in _TOLD.finditer(html))
    assert re.search("[가-힣]", whole), html
    whole = re.sub(r"(?s)<pre.*?</pre>|<[^>]+>", " ", whole)
    whole = re.sub(r"\w+Error: .*|[^\s(]+[/.]\S+|@[\w:-]+|`[^`]*`|&#39;.*?&#39;|&#34;.*?&#34;", " ", whole)
    return [word for word in re.findall(r"[A-Za-z]{3,}", whole) if not _NAMES.fullmatch(word)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/flows/elt", 404),
        ("/flows/nothing-like-it", 404),
        ("/runs/zz", 404),
        ("/runs/etl%239999", 404),
        ("/schedules/nihtly", 404),
        ("/runs?q=stat:bad", 400),
        ("/runs?q=flow:nothing", 400),
        ("/runs?q=dur:abc", 400),
        ("/runs?q=since:zzz", 400),
        ("/runs?q=%22open", 400),
        ("/runs?after=nonsense", 400),
        ("/palette?q=0+25+*+*+*", 200),
        ("/palette?q=0+0+30+2+*", 200),
    ],
)
def test_what_is_not_there_or_not_understood_is_told_in_korean(
    korean: TestClient, path: str, status: int
) -> None:
    answer = korean.get(path)

    assert answer.status_code == status
    assert english_in(answer.text) == []


def test_problem_documents_are_in_the_language_that_is_accepted(korean: TestClient) -> None:
    path = "/api/v1/flows/elt"
    mine, theirs = korean.get(path), korean.get(path, headers={"Accept-Language": "de, en;q=0.5"})
    wrong = korean.post("/api/v1/cron/explain", json={"expression": "0 25 * * *", "timezone": "UTC"})

    assert mine.json()["detail"] == "없습니다: 플로우 'elt'. 혹시 etl?"
    assert theirs.json()["detail"] == "there is no flow 'elt'; did you mean etl?"
    assert mine.headers["content-language"] == "ko"
    assert "Accept-Language" in mine.headers["vary"]
    assert mine.json()["type"] == theirs.json()["type"] == "/problems/not-found"
    assert wrong.json()["errors"][0]["code"] == "value"
    assert wrong.json()["errors"][0]["detail"] == "시: '25': 쓸 수 없는 값입니다. 쓸 수 있는 값: 0-23"


def test_actions_that_are_refused_say_why_in_korean(
    korean: TestClient, viewer: TestClient, world: World
) -> None:
    world.operations.users.add("sora", Role.ADMIN, "four horses of a kind", by=ROOT)
    ended, running = world.gallery.failed.id, world.gallery.running.id
    answers = {
        "cancel what has ended": korean.post(f"/runs/{ended}/cancel"),
        "retry what runs": korean.post(f"/runs/{running}/retry"),
        "approve what waits for nothing": korean.post(f"/runs/{running}/approve"),
        "resume what is not paused": korean.post("/schedules/nightly/resume"),
        "pause what is paused": korean.post("/schedules/month-end/pause", data={"reason": "again"}),
        "edit what people write": korean.get("/schedules/nightly/edit"),
        "run as a viewer": viewer.post("/flows/etl/run"),
        "a method that there is not": korean.post("/runs"),
        "a zone that there is not": korean.post("/appearance", data={"tz": "Asia/Soul"}),
        "forget an agent that lives": korean.post("/agents/jeju-3/forget"),
        "drain one that is drained": korean.post("/agents/jeju-3/drain"),
        "resume one that is not": korean.post("/agents/busan-2/resume"),
        "a user of no name": korean.post("/settings/users", data={"name": "a b", "role": "viewer"}),
        "the last admin": korean.post("/settings/users/sora/role", data={"role": "viewer"}),
        **{
            f"the password {weak!r}": korean.post("/settings/users/sora/password", data={"password": weak})
            for weak in (
                "short",
                "123456789012",
                "a" * 12,
                "password1234",
                "one and\x07 another",
                "x" * 1_025,
            )
        },
    }

    assert {what: answer.status_code for what, answer in answers.items() if answer.status_code < 400} == {}
    assert {what: english_in(answer.text) for what, answer in answers.items()} == {
        what: [] for what in answers
    }


def test_fields_say_in_korean_what_is_wrong_with_them(korean: TestClient) -> None:
    answer = korean.post("/flows/etl/run", data={"p.rows": "many", "p.region": "kr"})

    assert answer.status_code == 422
    assert english_in(answer.text) == []


@pytest.mark.parametrize(
    "cron",
    [
        "0 25 * * *",
        "61 0 * * *",
        "0 0 * *",
        "5-1 0 * * *",
        "0 0 W * *",
        "*/99 * * * *",
        "0 0 * * mon#9",
        "@fortnightly",
        "0 0 30 2 *",
        "?,1 0 * * *",
        "0 0 1 * fri#2",
        ",1 0 * * *",
        "H(5-1) * * * *",
    ],
)
def test_the_editor_says_in_korean_what_is_wrong_with_an_expression(korean: TestClient, cron: str) -> None:
    form = {**_EDITOR, "kind": "cron", "cron": cron}

    preview = korean.post("/schedules/preview", data=form)
    saved = korean.post("/schedules/new", data=form)

    assert (preview.status_code, saved.status_code) == (200, 422)
    assert english_in(preview.text) == []
    assert english_in(saved.text) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "interval", "every": "soon"},
        {"kind": "interval", "every": "1ms"},
        {"kind": "once", "at": "yesterday"},
        {"kind": "cron", "cron": "0 6 * * *", "timezone": "Asia/Soul"},
        {"kind": "cron", "cron": "0 6 * * *", "jitter": "forever"},
        {"kind": "cron", "cron": "0 6 * * *", "jitter": "9d"},
        {"kind": "cron", "cron": "0 6 * * *", "start": "2027-02-01T00:00", "end": "2027-01-01T00:00"},
        {"kind": "cron", "cron": "0 6 * * *", "name": ""},
        {"kind": "cron", "cron": "0 6 * * *", "flow": "elt"},
        {"kind": "simple", "rhythm": "day", "time": "noon"},
    ],
)
def test_the_editor_says_in_korean_what_is_wrong_with_the_rest(
    korean: TestClient, changes: dict[str, str]
) -> None:
    saved = korean.post("/schedules/new", data={**_EDITOR, **changes})

    assert saved.status_code == 422
    assert english_in(saved.text) == []


def test_cautions_are_in_korean_too(korean: TestClient) -> None:
    form = {**_EDITOR, "kind": "cron", "cron": "*/7 2 13 * 5", "timezone": "Europe/Berlin"}

    texts = Texts(korean.post("/schedules/preview", data=form).text).found

    assert [text for text in texts if re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}", text)] == []
