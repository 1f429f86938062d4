"""The queue of files to be looked at, where their inspections cannot be prepared."""

from pathlib import Path

import pytest

from schedulerd.engine.folders import RunFolders
from schedulerd.scheduler.inspecting import Inspector
from tests.builders import NOW
from tests.fakes import FakeClock


def test_that_an_inspection_cannot_be_prepared_is_said_when_it_begins_or_changes_and_now_and_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, folders = FakeClock(NOW), RunFolders(tmp_path)
    folders.make()
    inspector = Inspector(folders, lambda _: True, clock, request={}, timezone="UTC")
    ready = Path(folders.ready)

    def reasons_of_ten_turns() -> list[str]:
        caplog.clear()
        for _ in range(10):
            inspector.want("etl.py")
            inspector.pump()
            clock.advance(seconds=1)
        return [record.__dict__["reason"] for record in caplog.records]

    ready.rmdir()
    assert reasons_of_ten_turns() == ["No such file or directory"]
    assert reasons_of_ten_turns() == []
    ready.write_text("in the way")
    assert reasons_of_ten_turns() == ["Not a directory"]
    clock.advance(seconds=600)
    assert reasons_of_ten_turns() == ["Not a directory"]
    ready.unlink()
    ready.mkdir()
    assert reasons_of_ten_turns() == []
    assert not inspector.is_idle
