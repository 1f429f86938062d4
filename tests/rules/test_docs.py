"""The documentation says what is the case: its commands, links and examples are tried, and the reference is current."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from docs import generate
from schedulerd.cli.invocation import Invocation
from schedulerd.cli.root import root
from schedulerd.config import Settings, load_settings
from schedulerd.config.reading import settings_of
from schedulerd.domain.schedule_values import KEYS
from schedulerd.domain.states import RunState, TaskState
from schedulerd.errors import BadDefinition
from tests.rules.pages import REPOSITORY, Page, pages, shell_lines

PAGES = {page.name: page for page in pages()}
EVERY_PAGE = pytest.mark.parametrize("name", sorted(PAGES))
_SHELL_ENDS = {"|", "||", "&&", "&", ";", ">", ">>", "<", "2>"}
_MAKE = re.compile(r"make ([a-z]+)")
_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert generate.is_current(name, generate.pages()[name]), "run `make docs`"


def test_every_command_setting_key_and_state_is_in_the_reference() -> None:
    reference = {name: (generate.FOLDER / name).read_text() for name in generate.pages()}

    for path, _ in generate.commands():
        assert f"# `{' '.join(path)}`\n" in reference["cli.md"]
    for setting in every_setting(Settings):
        assert f"| `{setting}` |" in reference["config.md"]
    for key in KEYS:
        assert f"| `{key}` |" in reference["schedule-files.md"]
    for state in (*RunState, *TaskState):
        assert f"| `{state}` |" in reference["states.md"]


def every_setting(kind: type) -> Iterator[str]:
    for name, setting in settings_of(kind).items():
        if setting.section is None:
            yield name
        else:
            yield from every_setting(setting.section)


@EVERY_PAGE
def test_links_lead_somewhere(name: str) -> None:
    page = PAGES[name]

    lost = [link for link in page.links() if "://" not in link and not leads_somewhere(page, link)]

    assert lost == []


def leads_somewhere(page: Page, link: str) -> bool:
    place, _, anchor = link.partition("#")
    path = (page.path.parent / place).resolve() if place else page.path
    if not anchor:
        return path.exists()
    name = str(path.relative_to(REPOSITORY))
    return name in PAGES and anchor in PAGES[name].anchors()


@EVERY_PAGE
def test_commands_that_a_page_names_exist_with_their_options(name: str) -> None:
    for line in shell_lines(PAGES[name]):
        for words in calls(line):
            understood(words, whole=True)
    for code in PAGES[name].inline():
        for words in calls(code):
            understood(words, whole=False)


@EVERY_PAGE
def test_targets_of_make_that_a_page_names_exist(name: str) -> None:
    known = set(_TARGET.findall((REPOSITORY / "Makefile").read_text()))
    named = [*shell_lines(PAGES[name]), *PAGES[name].inline()]

    wanted = {found[1] for code in named if (found := _MAKE.match(code))}

    assert wanted <= known


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of schedulerd in a line of shell."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return
    while "schedulerd" in words or ".venv/bin/schedulerd" in words:
        start = next(at for at, word in enumerate(words) if word in ("schedulerd", ".venv/bin/schedulerd"))
        if any(
            "=" not in word and word not in (*_SHELL_ENDS, "sudo", "xargs", "exec") for word in words[:start]
        ):
            return  # an argument of another program: `systemctl start schedulerd`
        words = words[start + 1 :]
        end = next((at for at, word in enumerate(words) if word in _SHELL_ENDS), len(words))
        yield words[:end]
        words = words[end:]


def understood(words: list[str], *, whole: bool) -> None:
    """Fail unless the program understands this call; one that is not `whole` may lack arguments."""
    command: click.Command = root
    while words and words[0].startswith("--config"):
        words = words[1:] if "=" in words[0] else words[2:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words[0])
        assert below is not None, f"there is no command {words[0]!r}"
        command, words = below, words[1:]
    if isinstance(command, click.Group):
        return
    try:
        command.make_context("schedulerd", words, obj=Invocation(environ={}))
    except click.exceptions.Exit:
        return  # --help
    except click.MissingParameter:
        assert not whole, f"{words}: an argument is missing"


@pytest.mark.parametrize("name", sorted(name for name, page in PAGES.items() if page.blocks("python")))
def test_python_of_a_page_runs_by_itself(name: str, tmp_path: Path) -> None:
    for number, block in enumerate(PAGES[name].blocks("python")):
        file = tmp_path / f"block_{number}.py"
        file.write_text(block)

        ran = subprocess.run(
            [sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180
        )

        assert ran.returncode == 0, f"{block}\n{ran.stderr}"


@pytest.mark.parametrize(
    "name", sorted(name for name, page in PAGES.items() if page.blocks("python") or page.blocks("toml"))
)
def test_flows_and_schedules_of_a_page_are_valid(name: str, tmp_path: Path) -> None:
    page, flows, schedules = PAGES[name], tmp_path / "flows", tmp_path / "config" / "schedules"
    flows.mkdir()
    schedules.mkdir(parents=True)
    settings = tmp_path / "config" / "schedulerd.toml"
    settings.write_text('state_dir = "state"\n')
    for number, block in enumerate(page.blocks("python")):
        (flows / f"block_{number}.py").write_text(block)
    for example in (REPOSITORY / "flows").glob("*.py"):
        (flows / example.name).write_text(example.read_text())
    for number, block in enumerate(page.blocks("toml")):
        if "[[schedule]]" in block:
            (schedules / f"block_{number}.toml").write_text(block)
        else:
            assert_settings(block, tmp_path / "settings.toml")
        if "[pools]" in block:  # which the schedules of the page name
            settings.write_text(settings.read_text() + block)

    checked = subprocess.run(
        [sys.executable, "-m", "schedulerd", "validate"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def assert_settings(block: str, file: Path) -> None:
    file.write_text(block)
    try:
        load_settings(file, {})
    except BadDefinition as error:
        pytest.fail(f"{error}\n{block}")


def test_decisions_are_numbered_from_one_and_each_is_called_by_its_number() -> None:
    files = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))

    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        assert file.read_text().startswith(f"# {int(file.name[:4])}. "), file.name


def test_the_glossary_is_sorted_and_its_words_are_in_use() -> None:
    glossary = PAGES["docs/glossary.md"].text
    words = re.findall(r"^\*\*(.+?)\*\*", glossary, re.MULTILINE)
    rest = " ".join(page.text.lower() for name, page in PAGES.items() if name != "docs/glossary.md")

    assert words == sorted(words)
    assert len(words) >= 20
    assert [word for word in words if word.lower() not in rest] == []
