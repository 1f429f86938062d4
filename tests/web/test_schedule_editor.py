"""The editor of schedules, as a browser without scripts has it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.schedules import Cron
from schedulerd.store.database import Database
from tests.web.editor_scene import EditorScene, Visitor
from tests.web.page_scene import Looker

NEW = "/schedules/new"
TYPED = {
    "flow": "etl",
    "name": "etl",
    "kind": "cron",
    "cron": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "overlap": "skip",
    "catchup": "latest",
    "p_region": "kr",
}


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


@pytest.fixture
def visitor(scene: EditorScene) -> Iterator[Visitor]:
    with scene.client(Role.OPERATOR) as visitor:
        yield visitor


def etag_on(html: str) -> str:
    found = re.search(r'name="etag" value="([0-9a-f]*)"', html)
    assert found is not None
    return found[1]


def test_a_new_schedule_begins_with_what_the_address_says(visitor: Visitor) -> None:
    page = visitor.see(f"{NEW}?flow=etl&cron=0+9+*+*+1-5&timezone=Europe/Berlin")

    assert "Moves rows" not in page.text
    assert "region" in page.text
    assert "At 09:00 every Monday to Friday" in page.text or "09:00" in page.text
    assert "f-cron" in page.ids


def test_what_is_saved_is_in_the_folder_and_one_goes_on_to_its_page(
    scene: EditorScene, visitor: Visitor
) -> None:
    answer = visitor.post(NEW, **TYPED, do="save")

    assert answer.status_code == 202  # there is no daemon here
    assert "no daemon runs" in answer.text
    (file,) = scene.files()
    (definition,) = file.definitions
    assert definition.name == "etl"
    assert definition.when == Cron(expression="30 2 * * *", timezone="Europe/Berlin")
    assert definition.parameters == {"region": "kr"}


def test_the_preview_button_shows_the_sentence_the_notes_and_the_times_and_keeps_what_was_typed(
    scene: EditorScene, visitor: Visitor
) -> None:
    answer = visitor.post(NEW, **TYPED, do="preview")

    page = Looker(answer.text)
    assert answer.status_code == 200
    assert "02:30" in page.text
    assert "Europe/Berlin" in page.text
    assert "Asia/Seoul (you)" in page.text
    assert "UTC" in page.text
    assert 'value="30 2 * * *"' in answer.text
    assert answer.text.count("<time datetime=") == 5
    assert scene.files() == []


@pytest.mark.parametrize(
    ("cron", "code", "words"),
    [
        ("0 0 13 * 5", "either-day", "13"),
        ("*/7 * * * *", "uneven-step", "*/7"),
        ("30 2 * * *", "dst-gap", "2027-03-28"),
        ("30 2 * * *", "dst-fold", "2027-10-31"),
    ],
)
def test_what_may_surprise_is_told(visitor: Visitor, cron: str, code: str, words: str) -> None:
    answer = visitor.post("/schedules/preview", **{**TYPED, "cron": cron})

    assert f'data-code="{code}"' in answer.text
    assert words in Looker(answer.text).text
    assert 'data-good="yes"' in answer.text


@pytest.mark.parametrize(
    ("changes", "words", "caret"),
    [
        ({"cron": "30 25 * * *"}, "'25' is not one of 0-23", "   ^^"),
        ({"cron": "0 0 30 2 *"}, "never fire", "^"),
        ({"cron": ""}, "Say when", ""),
        ({"timezone": "Berlin"}, "Europe/Berlin", "^^^^^^"),
        ({"kind": "interval", "every": "15x"}, "15m", "^^^"),
        ({"kind": "once", "at": "2020-01-01T06:00"}, "2020-01-01", ""),
        ({"kind": "simple", "rhythm": "day", "time": "25:00"}, "no time of the day", ""),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_the_preview_with_carets_and_saving_refuses_it(
    scene: EditorScene, visitor: Visitor, changes: dict[str, str], words: str, caret: str
) -> None:
    preview = visitor.post("/schedules/preview", **{**TYPED, **changes})
    saving = visitor.post(NEW, **{**TYPED, **changes}, do="save")

    assert preview.status_code == 200  # it is still being typed
    assert 'data-good="no"' in preview.text
    assert words in Looker(preview.text).text
    assert caret in preview.text
    assert saving.status_code == 422
    assert 'role="alert"' in saving.text
    assert scene.files() == []


@pytest.mark.parametrize(
    ("typed", "cron"),
    [
        ({"rhythm": "hour", "time": "00:15"}, "15 * * * *"),
        ({"rhythm": "day", "time": "06:05"}, "5 6 * * *"),
        ({"rhythm": "weekdays", "time": "06:05"}, "5 6 * * 1-5"),
        ({"rhythm": "week", "time": "06:05", "weekday": "0"}, "5 6 * * 0"),
        ({"rhythm": "month", "time": "06:05", "day": "31"}, "5 6 31 * *"),
    ],
    ids=str,
)
def test_simple_times_are_written_as_cron_for_all_to_see(
    scene: EditorScene, visitor: Visitor, typed: dict[str, str], cron: str
) -> None:
    shown = visitor.post("/schedules/preview", **{**TYPED, "kind": "simple", **typed})
    visitor.post(NEW, **{**TYPED, "kind": "simple", **typed}, do="save")

    assert f"<code>{cron}</code>" in shown.text
    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.when == Cron(expression=cron, timezone="Europe/Berlin")


def test_parameters_that_do_not_fit_are_told_at_their_field(scene: EditorScene, visitor: Visitor) -> None:
    answer = visitor.post(NEW, **{**TYPED, "p_region": "", "p_days": "many"}, do="save")

    assert answer.status_code == 422
    assert "this is required" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert scene.files() == []


def test_an_edited_schedule_shows_its_times_before_and_after(scene: EditorScene, visitor: Visitor) -> None:
    scene.save()
    shown = visitor.client.get("/schedules/etl/edit").text

    answer = visitor.post(
        "/schedules/etl/edit", **{**TYPED, "cron": "0 7 * * *"}, etag=etag_on(shown), do="preview"
    )

    ids = Looker(answer.text).ids
    assert {"fires", "fires-before"} <= set(ids)
    before, after = answer.text.split('id="fires-before"')[1].split('id="fires"')
    assert "06:00 KST" in before
    assert "07:00 CET" in after


def test_what_the_form_does_not_say_stays_as_it_was(scene: EditorScene, visitor: Visitor) -> None:
    scene.save(priority=7, blackout=[{"dates": ["2027-01-01"]}])
    etag = etag_on(visitor.client.get("/schedules/etl/edit").text)

    answer = visitor.post("/schedules/etl/edit", **{**TYPED, "cron": "0 7 * * *"}, etag=etag, do="save")

    assert answer.status_code == 202
    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.priority == 7
    assert definition.blackout is not None
    assert definition.when == Cron(expression="0 7 * * *", timezone="Europe/Berlin")


def test_a_stale_edit_is_told_who_changed_it_and_loses_nothing(scene: EditorScene, visitor: Visitor) -> None:
    scene.save()
    etag = etag_on(visitor.client.get("/schedules/etl/edit").text)
    visitor.post("/schedules/etl/edit", **{**TYPED, "cron": "0 7 * * *"}, etag=etag, do="save")
    scene.read()

    second = visitor.post("/schedules/etl/edit", **{**TYPED, "cron": "0 8 * * *"}, etag=etag, do="save")

    assert second.status_code == 412
    page = Looker(second.text)
    assert "Changed by operator" in page.text
    assert "0 7 * * *" in page.text  # theirs
    assert 'value="0 8 * * *"' in second.text  # mine
    over = visitor.post(
        "/schedules/etl/edit", **{**TYPED, "cron": "0 8 * * *"}, etag=etag_on(second.text), do="save"
    )
    assert over.status_code == 202
    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.when == Cron(expression="0 8 * * *", timezone="Europe/Berlin")


def test_a_schedule_is_deleted_after_a_page_that_says_what_that_does(
    scene: EditorScene, visitor: Visitor
) -> None:
    scene.save()
    asked = visitor.client.get("/schedules/etl/delete").text

    answer = visitor.post("/schedules/etl/delete", etag=etag_on(asked))

    assert "Its runs stay" in asked
    assert answer.status_code == 202
    assert scene.files() == []


def test_a_schedule_in_a_file_that_people_wrote_is_shown_with_its_place_and_not_edited(
    scene: EditorScene, visitor: Visitor
) -> None:
    path = scene.schedules / "theirs.toml"
    path.write_text('[[schedule]]\nname = "etl"\nflow = "etl"\ncron = "0 5 * * *"\n')
    scene.read()

    page = visitor.see("/schedules/etl/edit", status=409)

    assert f"{path}:1" in page.text
    assert "/schedules/etl/edit" not in visitor.client.get("/schedules/etl").text


def test_a_name_that_is_taken_is_told_at_the_name(scene: EditorScene, visitor: Visitor) -> None:
    scene.save()

    answer = visitor.post(NEW, **TYPED, do="save")

    assert answer.status_code == 409
    assert "already" in answer.text
    assert 'value="30 2 * * *"' in answer.text


def test_viewers_have_no_editor(scene: EditorScene) -> None:
    scene.save()
    with scene.client(Role.VIEWER) as viewer:
        for path in (NEW, "/schedules/etl/edit", "/schedules/etl/delete"):
            viewer.see(path, status=403)
            assert viewer.post(path, **TYPED).status_code == 403
        assert viewer.post("/schedules/preview", **TYPED).status_code == 403
        assert NEW not in viewer.client.get("/schedules").text

    assert len(scene.files()) == 1


def test_a_command_is_for_admins(scene: EditorScene, visitor: Visitor) -> None:
    typed = {"command": "pg_dump app", "name": "dump", "kind": "cron", "cron": "@daily", "timezone": "UTC"}

    refused = visitor.post(NEW, **typed, do="save")
    visitor.see(f"{NEW}?what=command", status=403)
    with scene.client(Role.ADMIN) as admin:
        admin.see(f"{NEW}?what=command")
        accepted = admin.post(NEW, **typed, environment="A=1\nB = x=y", directory="/tmp", do="save")

    assert refused.status_code == 403
    assert accepted.status_code == 202, accepted.text
    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.command == "pg_dump app"
    assert definition.environment == {"A": "1", "B": "x=y"}
    assert definition.surroundings.directory == "/tmp"


@pytest.mark.parametrize("path", [f"{NEW}?flow=etl", f"{NEW}?flow=etl&kind=cron&cron=30+2+*+*+*", NEW])
def test_the_pages_are_small_and_without_anything_inline(visitor: Visitor, path: str) -> None:
    html = visitor.client.get(path).text

    assert len(html) < 80_000
    assert not re.search(r"<[^>]+ (style|on\w+)=", html)
    assert not re.search(r"<script(?![^>]*src=)", html)
    ids = Looker(html).ids
    assert len(ids) == len(set(ids))


def test_an_unknown_flow_is_told_with_what_comes_near(visitor: Visitor) -> None:
    assert "did you mean etl" in visitor.see(f"{NEW}?flow=elt", status=404).text
