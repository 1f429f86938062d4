"""A crontab dropped beside the settings: its lines run, may be edited and broken, and are mailed about."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clock_shim import MovedClock
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def drop(service: Service, text: str, name: str = "night.crontab") -> None:
    """Save a crontab as an editor does."""
    draft = service.folder / "config" / f".{name}.swp"
    draft.write_text(text)
    draft.rename(service.folder / "config" / name)


def schedules(service: Service) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in service.cli("schedules", "list")}


def output(service: Service, flow: str) -> list[str]:
    """What a run of the flow, asked for now, writes."""
    key = service.ask_for(flow)
    service.wait_for_end(key)
    return [one.line.message for one in service.lines(key) if one.line.stream in ("stdout", "stderr")]


def test_a_crontab_is_in_force_when_it_is_dropped_edited_and_while_it_is_broken(
    service: Service, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    head = f"HOME={home}\nGREETING = 'hello  there'\n"
    service.start()

    drop(service, f"{head}@daily pwd; echo $GREETING; cat%one%two\n0 3 * * * echo b\n")
    service.wait_for_flow("night:pwd")
    assert output(service, "night:pwd") == [str(home), "hello there", "one", "two"]

    drop(service, f"{head}@daily pwd; echo edited\n0 25 * * * echo b\n")
    eventually(lambda: output(service, "night:pwd") == [str(home), "edited"], within=10)
    assert schedules(service)["night:echo-b"]["when"]["expression"] == "0 3 * * *"
    (problem,) = service.cli("status")["problems"]
    assert "hour: '25' is not one of 0-23" in str(problem)

    drop(service, f"{head}@daily pwd; echo edited\n0 5 * * * echo b\n")
    eventually(lambda: schedules(service)["night:echo-b"]["when"]["expression"] == "0 5 * * *", within=10)
    (service.folder / "config" / "night.crontab").unlink()
    eventually(lambda: schedules(service) == {}, within=10)
    assert service.broken_invariants() == []


def test_a_broken_crontab_keeps_its_last_good_lines_across_a_restart(service: Service) -> None:
    service.start()
    drop(service, "@daily echo a\n")
    service.wait_for_flow("night:echo-a")
    service.stop(signal.SIGTERM)

    drop(service, "@dayly echo a\n")
    service.start()

    eventually(lambda: service.said("definition_refused") >= 1, within=10)
    assert "night:echo-a" in schedules(service)


def test_output_is_mailed_by_the_sendmail_in_the_path(service: Service, tmp_path: Path) -> None:
    programs, mail = tmp_path / "bin", tmp_path / "mail"
    programs.mkdir()
    (programs / "sendmail").write_text(f"#!/bin/sh\ncat >> {mail}\n")
    (programs / "sendmail").chmod(0o755)
    service.start(environ={"PATH": f"{programs}:{os.environ['PATH']}"})

    drop(service, "MAILTO=kim\n@daily echo loud; exit 3\n@daily true\n")
    service.wait_for_flow("night:true")
    output(service, "night:true")
    output(service, "night:echo-loud")

    eventually(lambda: mail.exists() and "exit status 3" in mail.read_text(), within=10)
    text = mail.read_text()
    assert text.count("Subject: ") == 1
    assert "To: kim\n" in text
    assert "> echo loud; exit 3\n" in text
    assert "\nloud\n" in text


def test_a_line_that_is_due_has_run_for_its_crontab(service: Service, clock: MovedClock) -> None:
    clock.set(datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC))
    service.start(environ=clock.environment)

    drop(service, "* * * * * echo tick\n")
    service.wait_for_flow("night:echo-tick")
    clock.set(datetime(2026, 6, 1, 12, 0, 59, 900_000, tzinfo=UTC))

    (run,) = eventually(
        lambda: service.cli("runs", "list", "--flow", "night:echo-tick", "--state", "completed"), within=15
    )
    assert (run["trigger"], run["schedule"]) == ("crontab", "night:echo-tick")
    assert run["due_at"] == "2026-06-01T12:01:00.000Z"
