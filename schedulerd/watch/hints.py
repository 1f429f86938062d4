"""The operating system's events: where something may have changed. The one door to watchfiles."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from watchfiles import watch

PAUSE_S: Final = 0.1
"""How long a wait for events lasts before the listener may look at its deadlines."""

# Gather events for 50 ms at most. A shorter step would find them sooner, but wakes the machine up more often (0.2 % of
# a CPU at 10 ms, 0.08 % at 50 ms), and what is found has to rest for half a second anyway.
_DEBOUNCE_MS: Final = 50
_STEP_MS: Final = 50


class NoEventsError(Exception):
    """The system gives no events: its inotify instances or watches are used up, or a folder is gone again."""


class IsSet(Protocol):
    """What ends the listening, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Is it time to end?"""
        ...


Listen = Callable[[Sequence[Path], IsSet], Iterator[frozenset[Path]]]
"""Given folders, yields what may have changed directly in them, and an empty set after each `PAUSE_S` in which nothing
did, until told to end. Raises `NoEventsError` where it cannot."""


def listen(folders: Sequence[Path], ended: IsSet) -> Iterator[frozenset[Path]]:
    """What inotify says of these folders, and not of those below them."""
    events = watch(
        *folders,
        watch_filter=None,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=ended,
        rust_timeout=int(PAUSE_S * 1_000),
        yield_on_timeout=True,
        debug=False,
        raise_interrupt=False,
        force_polling=False,  # its polling misses the second half of a slow write; ours is the look at the folders
        recursive=False,  # the folder that holds `flows` may hold a virtual environment too
        ignore_permission_denied=True,
    )
    try:
        for changes in events:
            yield frozenset(Path(path) for _, path in changes)
    except (OSError, RuntimeError) as error:  # watchfiles' own error is a RuntimeError
        raise NoEventsError(str(error)) from error
