"""A clock that is moved for whole processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock, build


@pytest.fixture(scope="session")
def clockshift(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, compiled."""
    return build(tmp_path_factory.mktemp("clockshift"))


@pytest.fixture
def clock(clockshift: Path, tmp_path: Path) -> Iterator[MovedClock]:
    """A clock for the processes of this test; it shows the true time at first."""
    clock = MovedClock(clockshift, tmp_path / "clock.shift")
    yield clock
    clock.close()
