"""Schedules that are saved from outside: as files that the daemon's own reader takes, and never over what people wrote."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.own_files import file_name
from schedulerd.errors import Conflict, NotFound, NotPermitted, Stale
from schedulerd.operations.definition_readers import LineKind, Places
from schedulerd.operations.definitions import BadValue
from schedulerd.operations.operations import Operations
from schedulerd.operations.own_folder import OwnFolder
from schedulerd.store.database import Database
from schedulerd.watch.schedule_files import ScheduleFile, read_schedule_file
from tests.builders import A_SECOND, NOW, a_file, a_flow
from tests.fakes import FakeClock

MINJI = Principal(name="minji", role=Role.OPERATOR)
ROOT = Principal(name="root", role=Role.ADMIN)
LOOKER = Principal(name="looker", role=Role.VIEWER)
SCHEMA = {
    "type": "object",
    "properties": {"region": {"type": "string"}, "days": {"type": "integer"}},
    "additionalProperties": False,
}
VALUES = {"name": "etl morning", "flow": "etl", "cron": "0 6 * * *", "timezone": "Asia/Seoul"}
NO_DAEMON = "no daemon runs; the next one goes by it"


class Scene:
    """A folder of schedule files, and a database that is brought in line with it as the daemon does."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder / "schedules"
        self.folder.mkdir()
        self.database = database
        self.clock = FakeClock()
        reader = DefinitionReader(timezone="Asia/Seoul", pools=("database",))
        places = Places(reader=reader, schedules=self.folder, timezone="Asia/Seoul")
        self.asked = Operations(database, state_dir=folder / "state", clock=self.clock, places=places)
        self.definitions = self.asked.definitions
        with database.write() as tx:
            tx.flows.put_file(a_file(a_flow(parameters=SCHEMA)), now=NOW)

    def files(self) -> list[ScheduleFile]:
        paths = sorted(self.folder.glob("*.toml"))
        return [read_schedule_file(path, timezone="Asia/Seoul") for path in paths]

    def read(self) -> None:
        """Have what is in the folder in force."""
        with self.database.write() as tx:
            flow = tx.flows.get("etl").key
            for name in [one.definition.name for one in tx.schedules.all()]:
                tx.schedules.remove(name, now=NOW)
            for definition in [one for file in self.files() for one in file.definitions]:
                tx.schedules.put(definition, flow=flow, watermark=NOW, next_due=NOW + A_SECOND, now=NOW)

    def saved(self, **changes: Any) -> str:
        """Save the usual schedule, and have it in force; its etag."""
        saved = self.definitions.create({**VALUES, **changes}, by=ROOT)
        self.read()
        return saved.etag


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> Scene:
    return Scene(sqlite_database, tmp_path)


def test_what_is_saved_is_what_the_daemon_reads(scene: Scene) -> None:
    values = {**VALUES, "parameters": {"region": 'a "quoted"\nname', "days": 3}, "overlap": "queue"}

    saved = scene.definitions.create(values, by=MINJI)

    (file,) = scene.files()
    (definition,) = file.definitions
    assert file.errors == ()
    assert (saved.name, saved.waits_for) == ("etl morning", NO_DAEMON)
    assert definition.parameters == values["parameters"]
    assert definition == scene.definitions.read(values, by=MINJI)
    assert definition.origin.startswith(f"{scene.folder}/web-etl-morning-")


def test_a_schedule_is_changed_and_what_the_file_says_besides_stays(scene: Scene) -> None:
    etag = scene.saved()
    scene.clock.advance(seconds=60)

    scene.definitions.change("etl morning", {**VALUES, "cron": "0 7 * * *"}, etag=etag, by=MINJI)
    scene.read()

    own = scene.definitions.place("etl morning").own
    assert own is not None
    assert own.etag != etag
    assert (own.values["cron"], own.by) == ("0 7 * * *", "minji")
    assert own.at == scene.clock.now()
    assert len(scene.files()) == 1


def test_a_schedule_is_deleted_with_its_file(scene: Scene) -> None:
    etag = scene.saved()

    gone = scene.definitions.delete("etl morning", etag=etag, by=MINJI)

    assert gone.waits_for == NO_DAEMON
    assert list(scene.folder.iterdir()) == []


@pytest.mark.parametrize("deed", ["change", "delete"])
def test_who_has_not_seen_the_last_change_is_told_who_made_it_and_when(scene: Scene, deed: str) -> None:
    etag = scene.saved()
    scene.clock.advance(seconds=60)
    changed = scene.definitions.change("etl morning", {**VALUES, "cron": "0 7 * * *"}, etag=etag, by=MINJI)
    scene.read()

    deeds = {
        "change": lambda: scene.definitions.change("etl morning", VALUES, etag=etag, by=ROOT),
        "delete": lambda: scene.definitions.delete("etl morning", etag=etag, by=ROOT),
    }

    with pytest.raises(Stale) as refused:
        deeds[deed]()

    assert (refused.value.by, refused.value.when) == ("minji", scene.clock.now())
    own = scene.definitions.place("etl morning").own
    assert own is not None
    assert own.etag == changed.etag


def test_of_two_who_write_at_once_one_is_refused_by_the_folder(tmp_path: Path) -> None:
    folder = OwnFolder(tmp_path, ".toml")
    folder.create("web-a.toml", b"one")
    etag = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # of b"one"
    folder.replace("web-a.toml", b"two", etag=etag)

    with pytest.raises(Stale):
        folder.replace("web-a.toml", b"three", etag=etag)
    with pytest.raises(Stale):
        folder.remove("web-a.toml", etag=etag)
    with pytest.raises(Conflict):
        folder.create("web-a.toml", b"three")

    assert folder.read("web-a.toml") == b"two"


def test_a_file_that_people_wrote_is_never_touched(scene: Scene) -> None:
    theirs = scene.folder / "theirs.toml"
    text = '# mine\n[[schedule]]\nname = "etl morning"\nflow = "etl"\ncron = "0 5 * * *"\n'
    theirs.write_text(text)
    scene.read()

    with pytest.raises(Conflict, match=r"theirs\.toml:2, which people write"):
        scene.definitions.change("etl morning", VALUES, etag="", by=ROOT)
    with pytest.raises(Conflict, match=r"theirs\.toml:2"):
        scene.definitions.delete("etl morning", etag="", by=ROOT)
    with pytest.raises(Conflict, match=r"already, in .*theirs\.toml:2"):
        scene.definitions.create(VALUES, by=ROOT)

    assert theirs.read_text() == text
    assert os.listdir(scene.folder) == ["theirs.toml"]


def test_a_file_of_ours_that_somebody_changed_by_hand_is_theirs_from_then_on(scene: Scene) -> None:
    etag = scene.saved()
    (path,) = scene.folder.iterdir()
    path.write_text(path.read_text().replace("0 6", "0 9") + "# mine\n")
    scene.read()

    with pytest.raises(Conflict, match="which people write"):
        scene.definitions.change("etl morning", VALUES, etag=etag, by=ROOT)

    assert scene.definitions.place("etl morning").own is None


def test_a_second_click_saves_nothing_twice_and_is_no_error(scene: Scene) -> None:
    etag = scene.saved()

    again = scene.definitions.create(VALUES, by=MINJI)

    assert again.etag == etag
    with pytest.raises(Conflict, match="already"):
        scene.definitions.create({**VALUES, "cron": "0 1 * * *"}, by=MINJI)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"cron": "30 25 * * *"}, "cron", r"'25' is not one of 0-23\n.*\n +\^\^"),
        ({"cron": "0 0 30 2 *"}, "cron", "never fire"),
        ({"timezone": "Berlin"}, "timezone", "Europe/Berlin"),
        ({"flow": "elt"}, "flow", "did you mean etl"),
        ({"flow": ""}, "flow", "empty"),
        ({"name": ""}, "name", "empty"),
        ({"name": 5}, "name", "text in quotes"),
        ({"parameters": {"region": 5}}, "parameters", "region"),
        ({"parameters": {"zone": "kr"}}, "parameters", "zone"),
        ({"parameters": {"region": None}}, "", "TOML has no way"),
        ({"parameters": {"region": "\ud800"}}, "", "surrogates"),
        ({"overlap": "often"}, "overlap", "one of skip"),
        ({"crom": "* * * * *"}, "crom", "did you mean"),
        ({"pool": "gpu"}, "", "gpu"),
        ({"jitter": "soon"}, "jitter", "15m"),
        ({"environment": {"A": "1"}}, "environment", "for a `command`"),
        ({"end": "2020-01-01"}, "cron", "never fires"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_with_its_key_and_nothing_is_written(
    scene: Scene, changes: dict[str, Any], key: str, words: str
) -> None:
    with pytest.raises(BadValue, match=words) as refused:
        scene.definitions.create({**VALUES, **changes}, by=ROOT)

    assert refused.value.key == key
    assert list(scene.folder.iterdir()) == []


def test_a_name_may_have_anything_in_it_that_can_be_seen(scene: Scene) -> None:
    scene.definitions.create({**VALUES, "name": "team/a?b 100 %"}, by=ROOT)

    ((definition,),) = [file.definitions for file in scene.files()]
    assert definition.name == "team/a?b 100 %"


def test_a_one_off_that_has_passed_is_not_saved(scene: Scene) -> None:
    values = {"name": "once", "flow": "etl", "at": "2020-01-01T06:00"}

    with pytest.raises(BadValue, match="never fires") as refused:
        scene.definitions.create(values, by=MINJI)

    assert refused.value.key == "at"


@pytest.mark.parametrize(
    "values",
    [
        {"name": "dump", "command": "pg_dump app", "cron": "@daily"},
        {**VALUES, "heartbeat": "https://example.com/ping"},
        {"name": "inbox", "flow": "etl", "file": "/etc/*.conf"},
        {"name": "hook", "flow": "etl", "webhook": "deploy", "secret": "key"},
    ],
    ids=str,
)
def test_code_and_what_leaves_the_machine_is_for_admins(scene: Scene, values: dict[str, Any]) -> None:
    with pytest.raises(NotPermitted, match="need the role admin"):
        scene.definitions.create(values, by=MINJI)

    assert list(scene.folder.iterdir()) == []


def test_an_operator_cannot_change_a_command_nor_end_it(scene: Scene) -> None:
    saved = scene.definitions.create({"name": "dump", "command": "true", "cron": "@daily"}, by=ROOT)
    scene.read()

    with pytest.raises(NotPermitted):
        scene.definitions.change("dump", {**VALUES, "name": "dump"}, etag=saved.etag, by=MINJI)
    with pytest.raises(NotPermitted):
        scene.definitions.delete("dump", etag=saved.etag, by=MINJI)


def test_viewers_save_nothing(scene: Scene) -> None:
    etag = scene.saved()

    deeds: tuple[Callable[[], object], ...] = (
        lambda: scene.definitions.create({**VALUES, "name": "b"}, by=LOOKER),
        lambda: scene.definitions.change("etl morning", VALUES, etag=etag, by=LOOKER),
        lambda: scene.definitions.delete("etl morning", etag=etag, by=LOOKER),
    )
    for deed in deeds:
        with pytest.raises(NotPermitted, match="role operator"):
            deed()

    assert len(scene.files()) == 1


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONPATH", "BASH_ENV"])
def test_variables_that_have_other_code_loaded_are_not_taken_from_admins_either(
    scene: Scene, name: str
) -> None:
    values = {"name": "dump", "command": "true", "cron": "@daily", "environment": {name: "/tmp/x"}}

    with pytest.raises(BadValue, match=name):
        scene.definitions.create(values, by=ROOT)


def test_a_schedule_keeps_its_name(scene: Scene) -> None:
    etag = scene.saved()

    with pytest.raises(BadValue, match="keeps its name"):
        scene.definitions.change("etl morning", {**VALUES, "name": "b"}, etag=etag, by=ROOT)


def test_a_schedule_that_is_not_there_cannot_be_changed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        scene.definitions.change("etl morning", VALUES, etag="", by=ROOT)


def test_a_new_file_has_the_mode_of_its_neighbours_but_is_written_by_nobody_else(scene: Scene) -> None:
    neighbour = scene.folder / "a.toml"
    neighbour.touch()
    neighbour.chmod(0o660)

    scene.saved()

    path = scene.folder / file_name("etl morning")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_in_the_place_of_a_file_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text("theirs")
    (scene.folder / file_name("etl morning")).symlink_to(outside)

    with pytest.raises(Conflict):
        scene.definitions.create(VALUES, by=ROOT)

    assert outside.read_text() == "theirs"


@pytest.mark.parametrize("name", ["../x.toml", "/etc/x.toml", "a/b.toml", ".x.toml", "x.txt", ""])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotPermitted):
        OwnFolder(tmp_path, ".toml").create(name, b"")


@pytest.mark.parametrize("event", ["os.rename", "os.chmod"])
def test_killed_before_it_is_in_its_place_the_old_file_stands_and_the_draft_is_swept_away(
    scene: Scene, event: str
) -> None:
    etag = scene.saved()
    (path,) = scene.folder.iterdir()
    before = path.read_bytes()
    program = f"""
import os, sys
from pathlib import Path
from schedulerd.operations.own_folder import OwnFolder

sys.addaudithook(lambda event, _: event == {event!r} and os.kill(os.getpid(), 9))
OwnFolder(Path({str(scene.folder)!r}), ".toml").replace({path.name!r}, b"new", etag={etag!r})
"""

    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)

    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert len(list(scene.folder.iterdir())) == 2  # the draft, of a name that nobody reads
    assert [file.path for file in scene.files()] == [str(path)]
    scene.definitions.change("etl morning", {**VALUES, "cron": "0 7 * * *"}, etag=etag, by=ROOT)
    assert list(scene.folder.iterdir()) == [path]


def test_where_there_is_no_folder_nothing_is_saved(sqlite_database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    nowhere = Operations(sqlite_database, state_dir=tmp_path, clock=clock)
    reader = DefinitionReader(timezone="UTC", pools=())
    places = Places(reader=reader, schedules=None)
    without = Operations(sqlite_database, state_dir=tmp_path, clock=clock, places=places)
    gone = replace(places, schedules=tmp_path / "gone")
    vanished = Operations(sqlite_database, state_dir=tmp_path, clock=clock, places=gone)
    values = {"name": "a", "command": "true", "cron": "@daily"}

    with pytest.raises(NotPermitted):
        nowhere.definitions.create(values, by=ROOT)
    with pytest.raises(NotPermitted, match="no folder"):
        without.definitions.create(values, by=ROOT)
    with pytest.raises(Exception, match="No such file"):
        vanished.definitions.create(values, by=ROOT)


def test_a_crontab_is_told_line_by_line_and_its_schedules_have_the_keys_of_a_file(scene: Scene) -> None:
    text = "# backup\nPATH=/usr/bin\n@daily pg_dump app\n0 6 * * 1-5 /opt/report%done\n61 * * * * broken\n"

    lines = scene.definitions.places.reader.crontab(text, prefix="old")

    assert [line.kind for line in lines] == [
        LineKind.COMMENT,
        LineKind.VARIABLE,
        LineKind.SCHEDULE,
        LineKind.SCHEDULE,
        LineKind.ERROR,
    ]
    assert "61" in lines[4].message
    saved = [scene.definitions.create(line.keys, by=ROOT).name for line in lines if line.definition]
    found = {one.name: one for file in scene.files() for one in file.definitions}
    assert set(found) == set(saved)
    for line in lines:
        if line.definition is not None:
            assert found[line.definition.name] == replace(
                line.definition, origin=found[line.definition.name].origin
            )
