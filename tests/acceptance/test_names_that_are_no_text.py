"""Files whose names are no text, under a real daemon: each is told, and costs nothing but itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.runs import RunFilter
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

EACH_SECOND = """
[[schedule]]
name = "{name}"
command = "true"
every = "1s"

[[schedule]]
name = "{name}-of-files"
command = "wc -c $SCHEDULERD_FILE"
file = "{inbox}/*.csv"
"""
NO_TEXT = "caf\udce9"
TOLD = r"caf\xe9"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    (tmp_path / "inbox").mkdir()
    yield service
    service.close()


def completed(service: Service, flow: str) -> int:
    return len(service.runs(RunFilter(flows=(flow,), states=frozenset({RunState.COMPLETED}), limit=1_000)))


def with_names(status: str) -> str:
    """What `status` says when it tells of them."""
    return status if TOLD in status else ""


def test_they_are_told_and_all_else_goes_on_also_after_a_restart(service: Service) -> None:
    inbox = service.folder / "inbox"
    service.schedule("first.toml", EACH_SECOND.format(name="first", inbox=inbox))
    service.start()
    eventually(lambda: completed(service, "first") > 0, within=30)

    for file in (
        service.flows / f"{NO_TEXT}.py",
        service.schedules / f"{NO_TEXT}.toml",
        inbox / f"{NO_TEXT}.csv",
    ):
        file.touch()
    (inbox / "good.csv").touch()
    service.schedule("second.toml", EACH_SECOND.format(name="second", inbox=inbox))
    eventually(
        lambda: completed(service, "second") > 0 and completed(service, "first-of-files") == 1, within=30
    )
    status = eventually(lambda: with_names(service.command("status").stdout), within=10)
    reload, validate = service.command("reload"), service.command("validate")

    assert status
    assert (f"flows/{TOLD}.py" in status, f"schedules/{TOLD}.toml" in status) == (True, True)
    assert reload.returncode == 0, reload.stderr
    assert validate.returncode == 8
    assert f"flows/{TOLD}.py: refused: its name is not UTF-8 text" in validate.stdout

    assert service.stop() == 0
    before = completed(service, "first")
    service.start()
    eventually(lambda: completed(service, "first") > before, within=30)

    log = service.log.read_text()
    assert f"file={inbox}/{TOLD}.csv" in log
    assert service.said("Traceback") + log.count("\nTraceback") == 0
    assert completed(service, "first-of-files") == 1
