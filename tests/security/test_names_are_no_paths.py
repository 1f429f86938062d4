"""The server makes ids and names of files; a name that a client gives is never a path, and nothing is removed by one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.own_files import file_name
from schedulerd.store.database import Database
from tests.web.editor_scene import EditorScene, Visitor

NAMES: Final = {
    "up": "../x.py",
    "far up": "../../../../tmp/x.py",
    "absolute": "/etc/x.py",
    "below": "a/b.py",
    "backslash": "..\\x.py",
    "nul": "x.py\0.txt",
    "nul within": "x\0.py",
    "dotfile": ".x.py",
    "dots": "..",
    "dunder": "__init__.py",
    "another ending": "x.txt",
    "ending in capitals": "x.PY",
    "no ending": "x",
    "nothing": "",
    "blank": " ",
    "very long": "a" * 300 + ".py",
    "not ASCII": "한.py",
    "full width": "ｘ.py",
    "line end within": "x\n.py",
    "percent": "%2e%2e%2fx.py",
    "device": "/dev/full",
    "stream": "x.py:ads",
}
FLOW: Final = "from schedulerd import flow\n\n\n@flow\ndef fresh():\n    pass\n"
FILE: Final = "/flows/new/file"


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


@pytest.fixture
def admin(scene: EditorScene) -> Iterator[Visitor]:
    with scene.client(Role.ADMIN) as visitor:
        yield visitor


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "schedulerd.db" not in path.name}


def test_the_name_of_a_flow_file_that_comes_in_is_no_way_to_anywhere(
    scene: EditorScene, admin: Visitor, tmp_path: Path
) -> None:
    before = everything(tmp_path)

    answers = {kind: admin.post(FILE, name=name, text=FLOW, etag="") for kind, name in NAMES.items()}

    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(NAMES, 422)
    assert everything(tmp_path) == before


def test_a_flow_file_that_is_a_link_is_neither_read_nor_written_through(
    scene: EditorScene, admin: Visitor, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("theirs")
    (scene.flows / "link.py").symlink_to(theirs)

    new = admin.post(FILE, name="link.py", text=FLOW, etag="")
    seen = admin.post(FILE, name="link.py", text=FLOW, etag="0" * 64)

    assert (new.status_code, seen.status_code) == (409, 409)
    assert "theirs" not in new.text.replace("theirs.txt", "")
    assert theirs.read_text() == "theirs"


def test_the_file_of_a_schedule_is_named_by_the_server(
    scene: EditorScene, admin: Visitor, tmp_path: Path
) -> None:
    names = ("../x", "/etc/passwd", "..", ".", "x\0y", "a" * 240, ".hidden", "x/../../y")
    before = everything(tmp_path)
    keys = {"flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr"}}

    answers = [admin.client.post("/api/v1/schedules", json={"name": name, **keys}) for name in names]

    made = everything(tmp_path) - before
    assert {answer.status_code for answer in answers} <= {202, 422}
    assert made
    assert made <= {f"schedules/{file_name(name)}" for name in names}
    assert not any("/" in file_name(name) or ".." in file_name(name) for name in names)


def test_names_that_differ_in_case_alone_are_other_files() -> None:
    assert file_name("Etl") != file_name("etl")
    assert file_name("Etl").lower() != file_name("etl").lower()


def test_nothing_is_removed_or_read_by_a_name_that_a_client_gives(scene: EditorScene, admin: Visitor) -> None:
    theirs = scene.schedules / "theirs.toml"
    theirs.write_text("# canary\n")
    names = ("../../schedules/theirs.toml", "theirs.toml", "/etc/passwd", "theirs", "%2e%2e/theirs.toml")
    answers = []
    for name in names:
        at = f"/api/v1/schedules/{quote(name, safe='')}"
        answers += [
            admin.client.delete(at, headers={"If-Match": "*"}),
            admin.client.get(at),
            admin.client.get(f"{at}/definition"),
            admin.client.get(f"{FILE}?flow={quote(name, safe='')}"),
            admin.client.get(f"/static/x/{quote(name, safe='/')}"),
            admin.client.get(f"/problems/{quote(name, safe='')}"),
            admin.client.get(f"/runs/{quote(name, safe='')}/logs"),
        ]

    assert {one.status_code for one in answers} <= {404, 409}
    assert not any("canary" in one.text for one in answers)
    assert theirs.read_text() == "# canary\n"
