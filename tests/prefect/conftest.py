"""The flow files of the two generations, and a daemon for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from schedulerd.testing import TestDaemon, daemon

_FLOWS: Final = Path(__file__).parent / "flows"
FUNCTION_STYLE: Final = _FLOWS / "function_style.py"
GRAPH_STYLE: Final = _FLOWS / "graph_style.py"


@pytest.fixture(scope="package")
def daemon_of_flows() -> Iterator[TestDaemon]:
    """A daemon that knows the flows of both styles."""
    with daemon(FUNCTION_STYLE, GRAPH_STYLE) as started:
        yield started


def assert_came_to(run: Any, state: str, value: Any) -> None:
    """The state, and the value or what is said of it."""
    assert run.state == state, f"{run.state}: {run.message}\n{run.failure and run.failure.traceback}"
    if state == "completed":
        assert _as_json(run.result) == value
    else:
        assert value in run.message


def _as_json(value: Any) -> Any:
    """The value with its tuples as lists, as JSON has them."""
    if isinstance(value, tuple | list):
        return [_as_json(one) for one in value]
    return value
