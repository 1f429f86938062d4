"""Tasks that many tests use."""

import threading
from collections.abc import Callable
from typing import Any

from schedulerd import task


@task
def doubled(number: int) -> int:
    return number * 2


@task
def broken(*_: Any) -> None:
    raise KeyError("region")


def gate() -> tuple[threading.Event, Callable[[], bool]]:
    opened = threading.Event()
    return opened, lambda: opened.wait(60)
