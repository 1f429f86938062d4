"""`init` and `validate`: the files that people write."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.scenes import Project
from tests.service import process_state
from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[2]
TEMPLATES = REPOSITORY / "schedulerd" / "cli" / "templates"
GOOD_FLOW = "from schedulerd import flow\n\n@flow\ndef etl():\n    pass\n"


@pytest.mark.parametrize(
    ("template", "original"),
    [("schedulerd.toml", "config/schedulerd.toml"), ("hello.py.txt", "flows/hello.py")],
)
def test_the_templates_are_the_files_of_this_repository(template: str, original: str) -> None:
    assert (TEMPLATES / template).read_text() == (REPOSITORY / original).read_text(), f"copy {original} there"


def test_what_init_writes_is_good(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project.call("init", str(tmp_path / "new"))
    monkeypatch.chdir(tmp_path / "new")

    result = project.call("--config", "config/schedulerd.toml", "validate")

    assert made.exit_code == 0
    assert f"cd {tmp_path / 'new'} && schedulerd start" in made.stderr
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert "✓ flows/hello.py: hello" in result.stderr
    assert "✓ config/schedules/hello.toml: hello-every-minute" in result.stderr


def test_a_second_init_writes_nothing(project: Project, tmp_path: Path) -> None:
    project.call("init", str(tmp_path / "new"))
    (tmp_path / "new" / "flows" / "hello.py").write_text("mine = True\n")
    (tmp_path / "new" / "config" / "schedulerd.toml").unlink()

    refused = project.call("init", str(tmp_path / "new"))
    forced = project.call("init", str(tmp_path / "new"), "--force")

    assert refused.exit_code == 5
    assert "has config/schedules/hello.toml, flows/hello.py already; nothing was written" in refused.stderr
    assert forced.exit_code == 0
    assert "def hello" in (tmp_path / "new" / "flows" / "hello.py").read_text()


def test_good_files_are_named_with_what_they_hold(project: Project) -> None:
    (project.folder / "flows" / "etl.py").write_text(GOOD_FLOW)

    found = json.loads(project.call("validate", "-o", "json").stdout)

    assert [(Path(one["file"]).name, one["ok"], one["holds"]) for one in found] == [
        ("schedulerd.toml", True, ["settings"]),
        ("etl.py", True, ["etl"]),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("def etl(:\n", "etl.py:1: SyntaxError: invalid syntax"),
        ("\nraise KeyError('region')\n", "etl.py:2: KeyError: 'region'"),
        ("import os\nos._exit(3)\n", "etl.py: LoadError: loading the file ended its process with status 3"),
        (
            "import os\nos.kill(os.getpid(), 9)\n",
            "etl.py: LoadError: loading the file killed its process with SIGKILL",
        ),
        (
            "import os\nos.kill(os.getppid(), 9)\n",
            "etl.py: LoadError: loading the file killed its process with SIGKILL: while it is imported it sends signals",
        ),
        (
            "from threading import Event\nEvent().wait()\n",
            "etl.py: LoadError: loading the file took longer than 2 s and was ended",
        ),
        (
            "from schedulerd import flow\nfrom schedulerd.schedules import Cron\n"
            "@flow(schedule=Cron('0 99 * * *'))\ndef etl(): pass\n",
            "etl.py:3: schedule 'etl#0': `cron`: hour: '99' is not one of 0-23\n  0 99 * * *\n    ^^\n",
        ),
    ],
    ids=["syntax", "exception", "exit", "kill", "kill of its parent", "endless", "schedule"],
)
def test_a_bad_flow_file_is_told_with_its_place(
    project: Project, content: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "flows" / "etl.py").write_text(content)
    monkeypatch.chdir(project.folder / "flows")

    result = project.call("validate", "etl.py", environ={"SCHEDULERD_INSPECT_TIMEOUT": "2s"})

    assert result.exit_code == 8
    assert result.stdout.startswith(said)
    assert "1 finding" in result.stderr


def test_nothing_goes_on_looking_at_a_file_when_the_command_has_been_ended(project: Project) -> None:
    file, told = project.folder / "etl.py", project.folder / "pid"
    file.write_text(f"import os, time\nopen({str(told)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    command = [sys.executable, "-m", "schedulerd", "validate", str(file)]
    with subprocess.Popen(command, cwd=project.folder, stderr=subprocess.DEVNULL) as validating:
        pid = int(eventually(lambda: told.exists() and told.read_text(), within=30) or 0)

        validating.terminate()

    eventually(lambda: process_state(pid) in ("", "Z"), within=10)


@pytest.mark.parametrize("by_folder", [False, True], ids=["all", "a folder"])
def test_what_is_known_of_a_file_is_shown_while_the_next_one_is_looked_at(
    project: Project, by_folder: bool
) -> None:
    flows, awaited = project.folder / "flows", project.folder / "awaited"
    os.mkfifo(awaited)
    (flows / "a.py").write_text(GOOD_FLOW)
    (flows / "b.py").write_text(f"open({str(awaited)!r}).readline()\n" + GOOD_FLOW.replace("etl", "slow"))
    command = [sys.executable, "-m", "schedulerd", "validate", *([str(flows)] if by_folder else [])]
    environ = {**os.environ, "SCHEDULERD_INSPECT_TIMEOUT": "20s"}  # of b, when nothing is shown before

    with (
        open(os.open(awaited, os.O_RDWR), "w") as line,
        subprocess.Popen(
            command, cwd=project.folder, env=environ, stderr=subprocess.PIPE, text=True
        ) as validating,
    ):
        assert validating.stderr is not None
        before = next(said for said in validating.stderr if "a.py" in said)
        print(file=line, flush=True)
        after = validating.stderr.read()

    assert before == "✓ flows/a.py: etl\n"
    assert after == "✓ flows/b.py: slow\nall is well\n"
    assert validating.returncode == 0


def test_a_bad_schedule_file_is_told_with_its_lines(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder / "config" / "schedules")
    Path("a.toml").write_text('[[schedule]]\nname = "a"\nflow = "etl"\ncron = "61 * * * *"\n')

    result = project.call("validate", "a.toml")

    assert result.exit_code == 8
    assert result.stdout.startswith("a.toml:4: ")
    assert all(line.startswith(("a.toml:", "  ")) for line in result.stdout.splitlines())


CALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n"
    "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nEND:VEVENT\nEND:VCALENDAR\n"
)
CLOSED = (
    '[[schedule]]\nname = "a"\ncommand = "date"\nevery = "1h"\n'
    'blackout = [{ calendar = "closed.ics" }, { calendar = "days.txt" }]\n'
)


def test_calendars_are_validated_with_the_folder_and_each_is_told_once(project: Project) -> None:
    folder = project.folder / "config" / "schedules"
    (folder / "a.toml").write_text(CLOSED)
    (folder / "closed.ics").write_text(CALENDAR)
    (folder / "days.txt").write_text("2026-12-31\n")
    (folder / "readme.txt").write_text("no calendar, and nobody names it\n")

    good = json.loads(project.call("validate", str(folder), "-o", "json").stdout)
    (folder / "closed.ics").write_text(CALENDAR.replace("20261227", "tomorrow"))
    bad = json.loads(project.call("validate", str(folder), "-o", "json").stdout)

    assert [(Path(one["file"]).name, one["ok"], one["holds"]) for one in good] == [
        ("a.toml", True, ["a"]),
        ("closed.ics", True, ["3 days", "0 spans"]),
    ]
    assert [(Path(one["file"]).name, one["line"], one["ok"]) for one in bad] == [("closed.ics", 8, False)]


def test_a_single_calendar_can_be_validated(project: Project) -> None:
    good, bad = project.folder / "closed.ics", project.folder / "days.txt"
    good.write_text(CALENDAR)
    bad.write_text("2026-12-31\n2026-13-01\n")

    result = project.call("validate", str(good), str(bad))

    assert result.exit_code == 8
    assert "closed.ics: 3 days, 0 spans" in result.stderr
    assert "days.txt:2: '2026-13-01' is no date" in result.stdout


def test_a_schedule_without_its_flow_is_found_when_all_is_looked_at(project: Project) -> None:
    (project.folder / "flows" / "etl.py").write_text(GOOD_FLOW)
    (project.folder / "config" / "schedules" / "a.toml").write_text(
        '[[schedule]]\nname = "a"\nflow = "elt"\nevery = "1m"\n'
    )

    result = project.call("validate")

    assert result.exit_code == 8
    assert "a.toml:1: schedule 'a': there is no flow 'elt'; did you mean 'etl'?" in result.stdout


def test_a_pool_that_is_not_defined_is_told_where_it_is_named(project: Project) -> None:
    entry = '[[schedule]]\nname = "{0}"\ncommand = "date"\nevery = "1h"\npool = "{0}"\n'
    schedules = project.folder / "config" / "schedules" / "a.toml"
    schedules.write_text(entry.format("databse") + entry.format("database"))
    crontab = project.folder / "config" / "night.crontab"
    crontab.write_text("# schedulerd: pool=gone\n@daily date\n")
    flow = project.folder / "flows" / "etl.py"
    flow.write_text("from schedulerd import flow\n@flow(pool='gone')\ndef etl(): pass\n")
    settings = project.folder / "config" / "schedulerd.toml"
    settings.write_text(settings.read_text() + "\n[pools]\ndatabase = 2\n")

    result = project.call("validate")

    assert result.exit_code == 8
    assert (
        "a.toml:1: schedule 'databse': `pool`: there is no pool 'databse'; did you mean 'database'?"
        in result.stdout
    )
    assert "night.crontab:2: schedule 'night:date': `pool`: there is no pool 'gone'" in result.stdout
    assert "etl.py:2: flow 'etl': `pool`: there is no pool 'gone'; known are: database" in result.stdout
    assert "define it in schedulerd.toml" in result.stdout + result.stderr


def test_the_settings_can_be_validated_by_path(project: Project) -> None:
    other = project.folder / "elsewhere" / "schedulerd.toml"
    other.parent.mkdir()
    other.write_text("max_running = 0\n")

    result = project.call("validate", str(other))

    assert result.exit_code == 8
    assert f"{os.path.relpath(other)}:1: " in result.stdout or f"{other}:1: " in result.stdout


def test_a_folder_is_validated_with_all_that_it_holds(project: Project) -> None:
    (project.folder / "flows" / "etl.py").write_text(GOOD_FLOW)
    (project.folder / "flows" / "_helper.py").write_text("1 / 0\n")
    (project.folder / "flows" / "bad.py").write_text("1 / 0\n")

    found = json.loads(project.call("validate", str(project.folder / "flows"), "-o", "json").stdout)

    assert {Path(one["file"]).name: one["ok"] for one in found} == {"bad.py": False, "etl.py": True}


def test_a_folder_is_validated_with_the_folders_below_it_that_the_settings_name(project: Project) -> None:
    schedules = project.folder / "config" / "schedules"
    (schedules / "a.toml").write_text('[[schedule]]\nname = "a"\nflow = "etl"\ncron = "61 * * * *"\n')
    (project.folder / "flows" / "etl.py").write_text(GOOD_FLOW)

    config = project.call("validate", str(project.folder / "config"), "-o", "json")
    whole = project.call("validate", str(project.folder), "-o", "json")

    in_config, in_whole = (
        {Path(one["file"]).name: one["ok"] for one in json.loads(result.stdout)} for result in (config, whole)
    )
    assert (config.exit_code, in_config) == (8, {"schedulerd.toml": True, "a.toml": False})
    assert (whole.exit_code, in_whole) == (8, {"etl.py": True, "a.toml": False})


@pytest.mark.parametrize("below", ["", "more/a.toml"], ids=["empty", "deeper"])
def test_a_folder_in_which_nothing_is_checked_is_no_success(project: Project, below: str) -> None:
    folder = project.folder / "elsewhere"
    folder.mkdir()
    if below:
        (folder / below).parent.mkdir()
        (folder / below).write_text("broken [")

    result = project.call("validate", str(folder))

    assert result.exit_code == 8
    assert "elsewhere: nothing was checked: no flow file (*.py), schedule file (*.toml)" in result.stdout
    assert "all is well" not in result.stderr


def test_a_crontab_is_validated_by_path_and_with_all_that_the_settings_name(project: Project) -> None:
    crontab = project.folder / "config" / "night.crontab"
    crontab.write_text("0 2 * * * backup\n@dayly rotate\n")

    by_path = project.call("validate", str(crontab))
    crontab.write_text("0 2 * * * backup\n")
    found = json.loads(project.call("validate", "-o", "json").stdout)

    assert by_path.exit_code == 8
    assert "night.crontab:2: @dayly is not known; there are @hourly" in by_path.stdout
    assert [one["holds"] for one in found if one["file"] == str(crontab)] == [["night:backup"]]


HOOKS = """[[schedule]]
name = "deploys"
command = "true"
webhook = "deploy"
secret = "deploy-key"
"""
HOOKED = """from schedulerd import flow
from schedulerd.schedules import Webhook

@flow(schedule=Webhook("orders", secret="orders-key"))
def takes():
    pass
"""


def test_a_webhook_without_a_good_secret_is_told_with_its_place(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    Path("config/schedules/a.toml").write_text(HOOKS)
    Path("flows/takes.py").write_text(HOOKED)
    for_short = "x" * 15
    assert project.call("secrets", "set", "orders-key", typed=for_short).exit_code == 0

    bad = project.call("validate")
    for name in ("orders-key", "deploy-key"):
        assert project.call("secrets", "set", name, typed="x" * 16).exit_code == 0
    good = project.call("validate")

    assert bad.exit_code == 8
    assert bad.stdout.splitlines() == [
        "config/schedules/a.toml:1: webhook 'deploy' of schedule 'deploys' lets nobody in: "
        "there is no secret 'deploy-key'; did you mean orders-key?",
        "flows/takes.py:4: webhook 'orders' of schedule 'takes#0' lets nobody in: "
        "the secret 'orders-key' is shorter than 16 characters",
    ]
    assert "`schedulerd secrets set deploy-key`" in bad.stderr
    assert (good.exit_code, good.stdout) == (0, ""), good.output


def test_a_webhook_that_is_turned_off_needs_no_secret(project: Project) -> None:
    (project.folder / "config/schedules/a.toml").write_text(f"{HOOKS}enabled = false\n")

    assert project.call("validate").exit_code == 0


def test_without_a_database_the_secrets_of_webhooks_are_said_to_be_unchecked(project: Project) -> None:
    (project.folder / "config/schedules/a.toml").write_text(HOOKS)
    config = project.folder / "config" / "schedulerd.toml"
    config.write_text('state_dir = "elsewhere"\n')

    result = project.call("validate")

    assert result.exit_code == 0
    assert "not checked: the secrets of webhooks" in result.stderr
    assert not (project.folder / "elsewhere").exists()
