"""What the spawner loads before it forks any run, so that no run has to."""

import importlib
import sys
from collections.abc import Iterable
from typing import Final

from schedulerd.engine.capture import expect_capture
from schedulerd.engine.code import forget_missing_folders

_USUAL: Final = (
    "asyncio",
    "queue",
    "schedulerd.authoring.console",
    "schedulerd.authoring.final_states",
    "schedulerd.authoring.futures",
    "schedulerd.authoring.graph_runs",
    "schedulerd.authoring.logs",
    "schedulerd.authoring.prints",
    "schedulerd.authoring.runners",
    "schedulerd.authoring.signals",
    "schedulerd.authoring.states",
    "schedulerd.authoring.submitting",
)


def preload(modules: Iterable[str]) -> None:
    """Load these modules. Never raises: what cannot be loaded is told, and loaded by the runs that need it."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # border: a preload that fails costs its warmth and nothing else
            print(f"preload of {module} failed: {error!r}", file=sys.stderr)


def preload_the_usual() -> None:
    """Load what many flows come to need when they run, and few when they are imported; be ready to be forked from."""
    preload(_USUAL)
    expect_capture()
    forget_missing_folders()
