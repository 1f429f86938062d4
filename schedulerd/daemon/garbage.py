"""Garbage of Python: collected where a process stays, and not where a command ends soon."""

import gc
from typing import Final

# What Python does by itself.
_COLLECTING: Final = (700, 10, 10)


def collect_from_now_on() -> None:
    """Collect garbage as Python does by itself, which `schedulerd.__main__` put off; what there is by now stays."""
    gc.freeze()
    gc.set_threshold(*_COLLECTING)
