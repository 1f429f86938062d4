"""A newcomer types what README and tutorial say, in their order, at the real program; every command does its work."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.pages import REPOSITORY, Page, pages, shell_lines
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)

PAGES = {page.name: page for page in pages()}
# What is tried elsewhere, needs root, or is about a run that the reader has made fail by hand.
NOT_HERE = ("schedulerd start", "schedulerd init", "schedulerd systemd", "@last-failed")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.stop()


def test_the_commands_of_the_readme_do_their_work(service: Service) -> None:
    page = PAGES["README.md"]
    report, refresh = page.blocks("python")
    example = (REPOSITORY / "config" / "schedules" / "etl.toml").read_text()
    service.drop("etl.py", (REPOSITORY / "flows" / "etl.py").read_text())
    service.drop("report.py", report)
    service.drop("refresh.py", refresh)
    service.schedule("etl.toml", example.replace('every = "15s"', 'every = "1s"'))
    service.schedule("mine.toml", *page.blocks("toml"))

    service.start()
    service.wait_for_flow("ETL-pipeline")
    eventually(
        lambda: service.cli("runs", "list", "--flow", "ETL-pipeline", "--state", "completed"), within=20
    )

    follow(page, service)


def test_the_commands_of_the_tutorial_do_their_work(service: Service) -> None:
    page = PAGES["docs/tutorial.md"]
    service.drop("sales.py", *page.blocks("python"))
    service.schedule("sales.toml", *page.blocks("toml"))

    service.start()
    service.wait_for_flow("sales")

    follow(page, service)


def follow(page: Page, service: Service) -> None:
    """Type the commands of a page, in order."""
    lines = [line for line in shell_lines(page) if line.startswith("schedulerd ")]
    for line in lines:
        if not any(words in line for words in NOT_HERE):
            done = service.command(*shlex.split(line, comments=True)[1:])
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
