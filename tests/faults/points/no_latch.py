"""Takes the latch away, so that it can be seen that the checker would find what it prevents: a run that starts twice."""

import contextlib
import os
import shutil
from typing import Any

from schedulerd.engine.folders import RunFolders


def take_away() -> None:
    """Have a prepared folder copied into `runs`, and not moved: whoever looks into `ready` finds it once more."""

    def take(self: Any, key: str) -> int | None:
        with contextlib.suppress(OSError):
            shutil.copytree(self.ready / key, self.runs / key, dirs_exist_ok=True)
            return os.open(self.runs / key, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return None

    RunFolders.take = take  # type: ignore[method-assign]
