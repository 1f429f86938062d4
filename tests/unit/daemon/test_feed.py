"""From what changed in the folders to what the core is told."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from schedulerd.daemon.feed import Feed
from schedulerd.domain.schedules import ScheduleDefinition
from schedulerd.scheduler.messages import DefinitionsChanged
from schedulerd.watch.changes import FolderChange
from schedulerd.watch.folders import Role, SeenFile
from tests.builders import a_schedule

TOML = '[[schedule]]\nname = "{name}"\nflow = "etl"\ncron = "0 6 * * *"\n'


class Told:
    """A feed over one folder, and all that the core was told."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.messages: list[DefinitionsChanged] = []
        self.feed = Feed(
            self.messages.append,
            timezone=changes.get("timezone", "UTC"),
            pools={"database": 2},
            last_known=lambda: changes.get("known", ()),
        )

    def file(self, name: str, text: str = "", *, folder: str = "flows", role: Role = Role.FLOW) -> SeenFile:
        path = self.folder / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        digest = sha256(text.encode()).hexdigest()
        stamp: Any = (0, 0, 0)  # the feed does not look at it
        return SeenFile(path=path, folder=path.parent, role=role, hash=digest, stamp=stamp)

    def schedules(self, name: str, text: str) -> SeenFile:
        return self.file(name, text, folder="schedules", role=Role.SCHEDULES)

    def calendar(self, name: str, text: str) -> SeenFile:
        return self.file(name, text, folder="schedules", role=Role.CALENDAR)

    def __call__(self, files: tuple[SeenFile, ...], **changes: Any) -> DefinitionsChanged:
        values: dict[str, Any] = {"changed": files, "removed": (), "problems": (), "withheld": frozenset()}
        self.feed(FolderChange(files=files, **(values | {"first": False} | changes)))
        return self.messages[-1]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def schedules(message: DefinitionsChanged) -> list[ScheduleDefinition]:
    return [one for bundle in (message.schedules or {}).values() for one in bundle]


def names(message: DefinitionsChanged) -> list[str] | None:
    return None if message.schedules is None else [one.name for one in schedules(message)]


def test_the_flow_files_that_are_there_and_those_to_look_at_are_told(told: Told) -> None:
    old, new = told.file("a.py"), told.file("b.py")

    message = told((old, new), changed=(new,))

    assert message.flow_files == {str(old.path), str(new.path)}
    assert message.look_at == {str(new.path)}


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_all_flow_files_of_a_folder_are_looked_at_when_a_module_in_it_changes(told: Told, how: str) -> None:
    etl, other = told.file("etl.py"), told.file("other.py", folder="more")
    module = told.file("_common.py", role=Role.MODULE)

    message = told((etl, other), **({"changed": ()} | {how: (module,)}))

    assert message.look_at == {str(etl.path)}


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_flow_files_that_may_import_one_that_changes_are_looked_at_with_it(told: Told, how: str) -> None:
    helper = told.file("aa.py", "V = 22\n")
    through = told.file("lib/__init__.py", "from aa import V\n", role=Role.MODULE)
    through = replace(through, folder=helper.folder)
    direct, indirect = told.file("imp.py", "import aa\n"), told.file("far.py", "def f():\n    import lib\n")
    other, elsewhere = told.file("etl.py", "import aaa\n"), told.file("imp.py", "import aa\n", folder="more")
    files = (direct, indirect, through, other, elsewhere)

    message = told((helper, *files) if how == "changed" else files, **({"changed": ()} | {how: (helper,)}))

    itself = {str(helper.path)} if how == "changed" else set()
    assert message.look_at == {str(direct.path), str(indirect.path)} | itself


def test_a_flow_file_that_cannot_be_read_now_is_looked_at_with_any_other(told: Told) -> None:
    helper, lost = told.file("aa.py"), told.file("imp.py")
    lost.path.unlink()

    assert told((helper, lost), changed=(helper,)).look_at == {str(helper.path), str(lost.path)}


def test_schedules_are_not_spoken_of_when_their_files_did_not_change(told: Told) -> None:
    told((told.schedules("a.toml", TOML.format(name="morning")),), first=True)

    assert names(told((told.file("etl.py"),))) is None


def test_schedules_are_read_in_the_time_zone_of_the_settings(tmp_path: Path) -> None:
    told = Told(tmp_path, timezone="Asia/Seoul")

    message = told((told.schedules("a.toml", TOML.format(name="morning")),))

    assert schedules(message)[0].when.timezone == "Asia/Seoul"


def test_the_first_look_tells_the_schedules_also_when_there_are_none(told: Told) -> None:
    assert names(told((), first=True)) == []


def test_a_file_that_is_gone_takes_its_schedules_along(told: Told) -> None:
    file = told.schedules("a.toml", TOML.format(name="morning"))
    told((file,), first=True)

    assert names(told((), changed=(), removed=(file,))) == []


def test_a_broken_schedule_keeps_its_last_good_version_and_is_reported(told: Told) -> None:
    told((told.schedules("a.toml", TOML.format(name="morning")),), first=True)

    message = told((told.schedules("a.toml", TOML.format(name="morning").replace("0 6", "x 6")),))

    assert names(message) == ["morning"]
    (error,) = message.schedule_errors
    assert error.line is not None


def test_a_file_that_was_broken_before_the_start_keeps_what_the_database_remembers(tmp_path: Path) -> None:
    origin = f"{tmp_path / 'schedules' / 'a.toml'}:1"
    told = Told(
        tmp_path, known=[a_schedule("morning", origin=origin), a_schedule("own", origin="flows/etl.py")]
    )

    message = told((told.schedules("a.toml", "this is no TOML ["),), first=True)

    assert names(message) == ["morning"]


def test_a_crontab_is_read_like_a_schedule_file(told: Told) -> None:
    toml = told.schedules("a.toml", TOML.format(name="morning"))
    crontab = told.file("b.crontab", "@daily backup\n", folder="config", role=Role.CRONTAB)

    assert names(told((toml, crontab), first=True)) == ["b:backup", "morning"]
    assert names(told((toml,), changed=(), removed=(crontab,))) == ["morning"]


def test_a_crontab_that_was_broken_before_the_start_keeps_what_the_database_remembers(tmp_path: Path) -> None:
    origin = f"{tmp_path / 'config' / 'a.crontab'}:1"
    told = Told(tmp_path, known=[a_schedule("a:backup", flow=None, command="backup", origin=origin)])

    message = told(
        (told.file("a.crontab", "0 25 * * * backup", folder="config", role=Role.CRONTAB),), first=True
    )

    assert names(message) == ["a:backup"]
    assert len(message.schedule_errors) == 1


def test_schedules_of_a_file_that_cannot_be_taken_now_stay(told: Told) -> None:
    file = told.schedules("a.toml", TOML.format(name="morning"))
    told((file,), first=True)

    message = told((), changed=(), removed=(file,), withheld=frozenset({file.path}))

    assert names(message) == ["morning"]
    assert message.withheld == {str(file.path)}


CLOSED = TOML + 'blackout = [{{ calendar = "days.txt" }}]\n'


def closed_days(message: DefinitionsChanged) -> list[str]:
    (definition,) = schedules(message)
    return [day.isoformat() for day in (definition.blackout.days if definition.blackout else ())]


def test_a_calendar_that_changes_changes_the_schedules_that_name_it(told: Told) -> None:
    file = told.schedules("a.toml", CLOSED.format(name="morning"))
    first = told((file, told.calendar("days.txt", "2026-12-24\n")), first=True)
    calendar = told.calendar("days.txt", "2026-12-31\n")

    second = told((file, calendar), changed=(calendar,))

    assert (closed_days(first), closed_days(second)) == (["2026-12-24"], ["2026-12-31"])


@pytest.mark.parametrize("how", ["broken", "removed"])
def test_a_calendar_that_cannot_be_read_keeps_what_it_last_said(told: Told, how: str) -> None:
    file = told.schedules("a.toml", CLOSED.format(name="morning"))
    told((file, told.calendar("days.txt", "2026-12-24\n")), first=True)
    calendar = told.calendar("days.txt", "tomorrow\n")
    if how == "removed":
        calendar.path.unlink()

    change = {"changed": (calendar,)} if how == "broken" else {"changed": (), "removed": (calendar,)}
    message = told((file, calendar) if how == "broken" else (file,), **change)

    assert closed_days(message) == ["2026-12-24"]
    (error,) = message.schedule_errors
    assert (Path(error.file).name, error.line) == (("days.txt", 1) if how == "broken" else ("a.toml", 5))


def test_a_calendar_that_is_mended_counts_again(told: Told) -> None:
    file = told.schedules("a.toml", CLOSED.format(name="morning"))
    told((file, told.calendar("days.txt", "tomorrow\n")), first=True)
    calendar = told.calendar("days.txt", "2026-12-31\n")

    message = told((file, calendar), changed=(calendar,))

    assert (closed_days(message), message.schedule_errors) == (["2026-12-31"], ())


def test_a_calendar_of_another_folder_leaves_a_schedule_file_as_it_was_read(told: Told) -> None:
    file = told.schedules("a.toml", TOML.format(name="morning"))
    told((file,), first=True)
    file.path.write_text("no longer what was seen")
    elsewhere = told.file("days.txt", "2026-12-31\n", folder="more", role=Role.CALENDAR)

    assert names(told((file, elsewhere), changed=(elsewhere,))) == ["morning"]


def test_an_entry_that_names_a_pool_which_is_not_defined_stays_as_it_was(told: Told) -> None:
    file = told.schedules("etl.toml", TOML.format(name="a") + 'pool = "database"\n')
    before = told((file,))
    named = told.schedules("etl.toml", TOML.format(name="a") + 'pool = "gone"\n')
    after = told((named,))

    assert [one.pool for one in schedules(before)] == ["database"]
    assert [one.pool for one in schedules(after)] == ["database"]
    assert [(error.line, error.reason) for error in after.schedule_errors] == [
        (1, "schedule 'a': `pool`: there is no pool 'gone'; known are: database")
    ]
