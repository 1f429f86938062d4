"""The spawner as the settings want it, and the first one."""

import contextlib
from collections.abc import Mapping

from schedulerd.config import Settings
from schedulerd.engine.link import SpawnerLink


def spawner_of(settings: Settings, environ: Mapping[str, str]) -> SpawnerLink:
    """A spawner that is not started yet."""
    return SpawnerLink(
        settings.state_dir,
        preload=settings.preload,
        spares=settings.spare_processes,
        environ=environ,
    )


def first_spawner(settings: Settings, environ: Mapping[str, str]) -> SpawnerLink:
    """A spawner that has been started, where that could be done: whose it becomes tries again, and says why not."""
    spawner = spawner_of(settings, environ)
    with contextlib.suppress(OSError):
        spawner.start()
    return spawner
