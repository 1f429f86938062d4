"""The plan of an installation under systemd, and its steps; no systemd is needed for these."""

import os
from pathlib import Path

import pytest

from schedulerd.config import load_settings
from schedulerd.errors import NotFound, NotPermitted, SchedulerdError
from schedulerd.operations.steps import Command, Keep, MakeFolder, RemoveFile, Step, WriteFile, carry_out
from schedulerd.operations.systemd import (
    SYSTEM,
    Found,
    Place,
    Program,
    installation,
    own_place,
    removal,
    require_reach,
    require_root,
    settings_text,
    shipped_unit,
    unit_text,
)

PROGRAM = ("/srv/app/bin/schedulerd",)
NOTHING = Found(files={}, folders=frozenset())


def after(steps: list[Step]) -> Found:
    """What is found when these steps were carried out."""
    return Found(
        files={step.path: step.text for step in steps if isinstance(step, WriteFile)},
        folders=frozenset(step.path for step in steps if isinstance(step, MakeFolder)),
    )


@pytest.fixture
def own() -> Place:
    return own_place({"HOME": "/home/anna"})


def test_the_system_has_an_account_folders_settings_a_unit_and_is_told() -> None:
    steps = installation(SYSTEM, PROGRAM, NOTHING, shipped=shipped_unit())

    assert [step.path for step in steps if isinstance(step, WriteFile)] == [
        Path("/etc/sysusers.d/schedulerd.conf"),
        Path("/etc/schedulerd/schedulerd.toml"),
        Path("/etc/systemd/system/schedulerd.service"),
    ]
    assert [(step.path, step.mode) for step in steps if isinstance(step, MakeFolder)] == [
        (Path("/etc/schedulerd"), 0o755),
        (Path("/etc/schedulerd/flows"), 0o755),
        (Path("/etc/schedulerd/schedules"), 0o755),
    ]
    assert [step.words for step in steps if isinstance(step, Command)] == [
        ("systemd-sysusers", "/etc/sysusers.d/schedulerd.conf"),
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable", "schedulerd.service"),
    ]


def test_a_service_of_ones_own_has_no_account_and_its_folders_are_closed_to_others(own: Place) -> None:
    steps = installation(own, PROGRAM, NOTHING, shipped=shipped_unit())

    assert {step.mode for step in steps if isinstance(step, MakeFolder)} == {0o700}
    assert [step.words for step in steps if isinstance(step, Command)] == [
        ("systemctl", "--user", "daemon-reload"),
        ("systemctl", "--user", "enable", "schedulerd.service"),
    ]


@pytest.mark.parametrize("is_system", [True, False], ids=["system", "own"])
def test_a_second_installation_writes_nothing(own: Place, is_system: bool) -> None:
    place = SYSTEM if is_system else own
    first = installation(place, PROGRAM, NOTHING, shipped=shipped_unit())

    second = installation(place, PROGRAM, after(first), shipped=shipped_unit())

    assert {type(step) for step in second} == {Keep, Command}


def test_settings_that_are_there_are_kept_whatever_stands_in_them() -> None:
    before = Found(files={SYSTEM.settings: "max_running = 2\n"}, folders=frozenset())

    steps = installation(SYSTEM, PROGRAM, before, shipped=shipped_unit())

    assert SYSTEM.settings in [step.path for step in steps if isinstance(step, Keep)]


def test_while_an_image_is_built_nobody_is_told() -> None:
    before = Found(files={}, folders=frozenset(), systemd_runs=False)

    steps = installation(SYSTEM, PROGRAM, before, shipped=shipped_unit())

    assert ("systemctl", "daemon-reload") not in [step.words for step in steps if isinstance(step, Command)]


def test_a_removal_takes_the_unit_and_keeps_the_data() -> None:
    before = Found(
        files={SYSTEM.unit: "", SYSTEM.settings: ""}, folders=frozenset({SYSTEM.config, SYSTEM.state})
    )

    steps = removal(SYSTEM, before)

    assert [step.path for step in steps if isinstance(step, RemoveFile)] == [SYSTEM.unit]
    assert [step.path for step in steps if isinstance(step, Keep)] == [SYSTEM.config, SYSTEM.state]
    assert steps[0] == Command(words=("systemctl", "disable", "--now", "schedulerd.service"))


def test_where_nothing_is_installed_there_is_nothing_to_remove() -> None:
    assert removal(SYSTEM, NOTHING) == []


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/opt/x/bin/schedulerd", "/opt/x/bin/schedulerd"),
        ("/opt/my app/schedulerd", '"/opt/my app/schedulerd"'),
        ("/opt/100%/schedulerd", "/opt/100%%/schedulerd"),
        ("/opt/$x/schedulerd", "/opt/$$x/schedulerd"),
        ('/opt/"x/schedulerd', '"/opt/\\"x/schedulerd"'),
    ],
    ids=["plain", "space", "percent", "dollar", "quote"],
)
def test_the_unit_starts_this_program(word: str, written: str) -> None:
    text = unit_text(shipped_unit(), [word], is_system=True)

    assert f"\nExecStart={written} start\n" in text
    assert f"\nExecReload={written} reload\n" in text


def test_ones_own_unit_is_without_what_only_the_system_can_do() -> None:
    text = unit_text(shipped_unit(), PROGRAM, is_system=False)

    settings = {line.partition("=")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert settings.isdisjoint(
        {"User", "StateDirectory", "ProtectSystem", "PrivateUsers", "CapabilityBoundingSet"}
    )
    assert settings >= {"WatchdogSec", "KillMode", "NoNewPrivileges"}
    assert "WantedBy=default.target" in text


def test_the_settings_of_a_new_installation_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "schedulerd.toml"
    file.write_text(settings_text(SYSTEM))

    settings = load_settings(file, {})

    assert settings.flows == (tmp_path / "flows",)
    assert settings.schedules == (tmp_path / "schedules",)
    assert settings.state_dir == Path("/var/lib/schedulerd")
    assert settings.directory == Path("/var/lib/schedulerd/work")


def test_the_settings_that_are_shown_as_defaults_are_the_defaults(tmp_path: Path) -> None:
    shown = [
        line for line in settings_text(SYSTEM).splitlines() if not line.startswith("# ") or " = " in line
    ]
    file = tmp_path / "schedulerd.toml"
    file.write_text("\n".join(line.removeprefix("# ") for line in shown))
    plain = tmp_path / "plain.toml"
    plain.write_text(settings_text(SYSTEM))

    assert load_settings(file, {}) == load_settings(plain, {})


def test_ones_own_place_follows_the_xdg_variables() -> None:
    place = own_place({"HOME": "/home/anna", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"})

    assert (place.unit, place.config, place.state) == (
        Path("/c/systemd/user/schedulerd.service"),
        Path("/c/schedulerd"),
        Path("/s/schedulerd"),
    )


def test_without_a_home_there_is_no_place_of_ones_own() -> None:
    with pytest.raises(NotFound):
        own_place({})


def test_a_program_behind_a_closed_folder_is_refused_with_the_mend(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "schedulerd"
    program.touch(mode=0o755)

    with pytest.raises(NotPermitted) as refused:
        require_reach(Program(words=(str(program),), needs=(program,)))

    assert "is closed to others" in refused.value.message
    assert "/opt/schedulerd" in refused.value.mend


def test_a_program_that_everybody_may_read_is_taken() -> None:
    require_reach(Program(words=("/usr/bin/env",), needs=(Path("/usr/bin/env"),)))


def test_only_root_installs_for_the_system() -> None:
    require_root(0, command="schedulerd systemd install")

    with pytest.raises(NotPermitted) as refused:
        require_root(1000, command="schedulerd systemd install")

    assert refused.value.mend.startswith("sudo schedulerd systemd install")


def test_steps_do_what_they_say(tmp_path: Path) -> None:
    folder, file = tmp_path / "a/b", tmp_path / "a/b/unit"

    for step in (
        MakeFolder(path=folder, mode=0o750),
        WriteFile(path=file, text="new"),
        Keep(path=file, why=""),
    ):
        carry_out(step)

    assert folder.stat().st_mode & 0o777 == 0o750
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o644
    assert os.listdir(folder) == ["unit"]
    carry_out(RemoveFile(path=file))
    assert not file.exists()


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(SchedulerdError, match=r"`ls /absent` failed: .*No such file"):
        carry_out(Command(words=("ls", "/absent")))


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound):
        carry_out(Command(words=("no-such-program",)))


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SchedulerdError, match=r"cannot write .*: File exists"):
        carry_out(WriteFile(path=tmp_path / "file/unit", text=""))
