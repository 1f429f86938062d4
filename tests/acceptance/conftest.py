"""A clock that is moved for whole processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clock_shim import MovedClock, build


@pytest.fixture(scope="session")
def clockshift(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, compiled."""
    return build(tmp_path_factory.mktemp("clockshift"))


@pytest.fixture(scope="session")
def shared_clock(clockshift: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MovedClock]:
    """One clock for all tests, so that programs that live by it can be forked from one that has been loaded under it."""
    clock = MovedClock(clockshift, tmp_path_factory.mktemp("clock") / "clock.shift")
    yield clock
    clock.close()


@pytest.fixture
def clock(shared_clock: MovedClock) -> MovedClock:
    """A clock for the processes of this test; it shows the true time at first."""
    shared_clock.jump(-shared_clock.shift)
    return shared_clock
