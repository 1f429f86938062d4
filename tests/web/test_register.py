"""`/flows/new`: flows that were found, crontabs line by line, and flow files that are looked into before they are written."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.failures import Failure
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.web.editor_scene import EditorScene, Visitor
from tests.web.page_scene import Looker

CRONTAB = """\
# backup of the night
MAILTO=ops@example.com
@daily pg_dump app
*/10 * * * * /opt/sync
61 * * * * /opt/broken
0 6 * * 1-5 /opt/report
"""
FLOW = """from schedulerd import flow


@flow
def fresh(region: str = "kr") -> str:
    return region
"""
FILE = "/flows/new/file"
PASTE = "/flows/new/crontab"


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


@pytest.fixture
def admin(scene: EditorScene) -> Iterator[Visitor]:
    with scene.client(Role.ADMIN) as admin:
        yield admin


def names(scene: EditorScene) -> list[str]:
    return sorted(one.name for file in scene.files() for one in file.definitions)


def etag_on(html: str) -> str:
    found = re.search(r'name="etag" value="([0-9a-f]*)"', html)
    assert found is not None
    return found[1]


def test_a_flow_that_was_found_leads_to_the_editor_until_it_has_a_schedule(
    scene: EditorScene, admin: Visitor
) -> None:
    before = admin.client.get("/flows/new").text
    scene.save()

    after = admin.client.get("/flows/new").text

    assert "/schedules/new?flow=etl" in before
    assert "days, region" in before
    assert "/schedules/new?flow=etl" not in after


def test_a_file_that_cannot_be_loaded_is_shown_with_its_line(scene: EditorScene, admin: Visitor) -> None:
    failure = Failure(type="NameError", message="name 'x' is not defined", file="flows/bad.py", line=7)
    with scene.database.write() as tx:
        tx.flows.set_file_error("flows/bad.py", failure, now=NOW)

    page = admin.see("/flows/new")

    assert "flows/bad.py :7" in page.text or "flows/bad.py:7" in page.text
    assert "NameError: name 'x' is not defined" in page.text


def test_what_is_not_for_operators_is_neither_shown_nor_done(scene: EditorScene) -> None:
    with scene.client(Role.OPERATOR) as operator:
        shown = operator.client.get("/flows/new").text
        for path in (PASTE, FILE):
            assert path not in shown
            operator.see(path, status=403)
            assert operator.post(path, crontab=CRONTAB, prefix="a", name="a.py", text=FLOW).status_code == 403
    with scene.client(Role.VIEWER) as viewer:
        viewer.see("/flows/new", status=403)

    assert names(scene) == []
    assert list(scene.flows.iterdir()) == []


def test_each_line_of_a_crontab_is_explained_before_anything_is_saved(
    scene: EditorScene, admin: Visitor
) -> None:
    answer = admin.post(PASTE, crontab=CRONTAB, prefix="old", do="preview")

    kinds = re.findall(r'<tr data-kind="(\w+)"', answer.text)
    assert kinds == ["comment", "variable", "schedule", "schedule", "error", "schedule"]
    page = Looker(answer.text)
    assert "output below is mailed to ops@example.com" in page.text
    assert "every 10 minutes" in page.text.lower()
    assert "'61' is not one of 0-59" in page.text
    assert answer.text.count('type="checkbox" name="pick"') == 3
    assert answer.text.count("KST") == 9  # three times of each
    assert scene.files() == []


def test_the_lines_that_are_picked_are_imported(scene: EditorScene, admin: Visitor) -> None:
    answer = admin.client.post(
        PASTE, data={"crontab": CRONTAB, "prefix": "old", "do": "import", "pick": ["3", "6", "5"]}
    )

    assert answer.status_code == 200
    found = {one.command: one for file in scene.files() for one in file.definitions}
    assert set(found) == {"pg_dump app", "/opt/report"}
    assert found["pg_dump app"].mail_to == "ops@example.com"
    assert all(one.name.startswith("old") for one in found.values())
    assert all(one.name in answer.text for one in found.values())


def test_a_line_whose_name_is_taken_costs_no_other(scene: EditorScene, admin: Visitor) -> None:
    admin.client.post(PASTE, data={"crontab": CRONTAB, "prefix": "old", "do": "import", "pick": ["3"]})
    scene.read()
    changed = CRONTAB.replace("@daily pg_dump app", "@weekly pg_dump app")

    answer = admin.client.post(
        PASTE, data={"crontab": changed, "prefix": "old", "do": "import", "pick": ["3", "4"]}
    )

    assert answer.status_code == 409
    assert "already" in answer.text
    assert sorted(one.command or "" for file in scene.files() for one in file.definitions) == [
        "/opt/sync",
        "pg_dump app",
    ]


def test_nothing_picked_and_names_that_cannot_be_are_told(scene: EditorScene, admin: Visitor) -> None:
    nothing = admin.post(PASTE, crontab=CRONTAB, prefix="old", do="import")
    nameless = admin.post(PASTE, crontab=CRONTAB, prefix="", do="preview")

    assert (nothing.status_code, nameless.status_code) == (422, 422)
    assert "No line was picked" in nothing.text
    assert scene.files() == []


def test_a_flow_file_is_looked_into_and_written(scene: EditorScene, admin: Visitor) -> None:
    answer = admin.post(FILE, name="fresh.py", text=FLOW.replace("\n", "\r\n"), etag="")

    assert answer.status_code == 202, answer.text  # there is no daemon here
    assert "/schedules/new?flow=fresh" in answer.text
    assert (scene.flows / "fresh.py").read_text() == FLOW
    assert [path.name for path in scene.flows.iterdir()] == ["fresh.py"]


def test_a_file_of_theirs_is_taken_in_the_place_of_the_text(scene: EditorScene, admin: Visitor) -> None:
    answer = admin.client.post(
        FILE,
        data={"name": "sent.py", "text": "ignored"},
        files={"upload": ("C:\\x\\..\\y.py", FLOW.encode())},
    )

    assert answer.status_code == 202, answer.text
    assert (scene.flows / "sent.py").read_text() == FLOW


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import nothing_like_this\n", "fresh.py:1"),
        ("x = 1\n", "there is no flow in it"),
        ("def (:\n", "SyntaxError"),
        ("import os\nos._exit(3)\n", "status 3"),
    ],
)
def test_what_cannot_be_loaded_is_told_with_its_line_and_not_written(
    scene: EditorScene, admin: Visitor, text: str, words: str
) -> None:
    answer = admin.post(FILE, name="fresh.py", text=text, etag="")

    assert answer.status_code == 422
    assert words in Looker(answer.text).text
    assert ".draft" not in answer.text
    assert list(scene.flows.iterdir()) == []


def test_what_is_looked_into_may_import_its_neighbours(scene: EditorScene, admin: Visitor) -> None:
    (scene.flows / "shared_words.py").write_text("WORD = 'kr'\n")

    answer = admin.post(FILE, name="fresh.py", text=f"from shared_words import WORD\n{FLOW}", etag="")

    assert answer.status_code == 202, answer.text


def test_a_file_that_is_there_is_not_written_over_by_who_has_not_seen_it(
    scene: EditorScene, admin: Visitor
) -> None:
    (scene.flows / "fresh.py").write_text("# theirs\n")

    new = admin.post(FILE, name="fresh.py", text=FLOW, etag="")
    stale = admin.post(FILE, name="fresh.py", text=FLOW, etag="0" * 64)

    assert (new.status_code, stale.status_code) == (409, 412)
    assert (scene.flows / "fresh.py").read_text() == "# theirs\n"
    assert "def fresh" in stale.text  # nothing that was typed is lost


def test_where_uploads_are_turned_off_there_are_none(sqlite_database: Database, tmp_path: Path) -> None:
    scene = EditorScene(sqlite_database, tmp_path, may_upload=False)
    with scene.client(Role.ADMIN) as admin:
        assert FILE not in admin.client.get("/flows/new").text
        assert "allow_upload" in admin.see(FILE).text
        answer = admin.post(FILE, name="fresh.py", text=FLOW, etag="")

    assert answer.status_code == 403
    assert list(scene.flows.iterdir()) == []


def test_the_file_of_a_flow_is_edited_as_it_was_seen(scene: EditorScene, admin: Visitor) -> None:
    from dataclasses import replace

    from tests.builders import a_file, a_flow

    path = scene.flows / "fresh.py"
    path.write_text(FLOW)
    flow = replace(a_flow("fresh"), file=str(path))
    with scene.database.write() as tx:
        tx.flows.put_file(a_file(flow, source=FLOW), now=NOW)
    shown = admin.client.get(f"{FILE}?flow=fresh").text

    answer = admin.post(FILE, name="fresh.py", text=FLOW + "# more\n", etag=etag_on(shown))

    assert "def fresh" in shown
    assert answer.status_code == 202, answer.text
    assert path.read_text().endswith("# more\n")
    admin.see(f"{FILE}?flow=etl", status=404)  # it lies elsewhere


def test_flows_lead_to_the_editor_and_to_the_page_to_register(scene: EditorScene) -> None:
    with scene.client(Role.OPERATOR) as operator, scene.client(Role.VIEWER) as viewer:
        for client, is_shown in ((operator.client, True), (viewer.client, False)):
            assert ("/schedules/new?flow=etl" in client.get("/flows/etl").text) is is_shown
            assert ('href="/flows/new"' in client.get("/flows").text) is is_shown
