"""The flow files of the two generations, and one daemon for all of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from schedulerd.testing import TestDaemon, daemon

_FLOWS: Final = Path(__file__).parent / "flows"
FUNCTION_STYLE: Final = _FLOWS / "function_style.py"
GRAPH_STYLE: Final = _FLOWS / "graph_style.py"
ASKING: Final = _FLOWS / "asking.py"
FILES: Final = tuple(sorted(_FLOWS.glob("*.py")))


def file_of(flow: str) -> Path:
    """The file in which a flow of this name is made."""
    return next(file for file in FILES if f'"{flow}"' in file.read_text())


@pytest.fixture(scope="package")
def daemon_of_flows() -> Iterator[TestDaemon]:
    """A daemon that knows the flows of both styles."""
    schedules = '[[schedule]]\nname = "usual"\nflow = "asked-for"\nat = "2099-01-01T00:00:00"\n'
    with daemon(*FILES, schedules=schedules) as started:
        limits = started.operations.named_limits
        limits.set("r31-slots", 1)
        limits.set("r31-rates", 1, per_second=1_000)
        yield started


def assert_came_to(run: Any, state: str, value: Any) -> None:
    """The state, and the value or what is said of it."""
    said = "" if run.failure is None else f"{run.failure.type}: {run.failure.message}"
    assert run.state == state, f"{run.state}: {run.message}\n{run.failure and run.failure.traceback}"
    if state == "completed":
        assert as_json(run.result) == value
    else:
        assert value in f"{run.message}\n{said}"


def as_json(value: Any) -> Any:
    """The value with its tuples as lists, as JSON has them."""
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    return value
