"""What the core is told. Threads only post these; the core alone decides.

Each is a hint that may come twice, late, or not at all: what it points at is looked at anyway, a little later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from schedulerd.domain.bundles import Bundle
from schedulerd.engine.wire import Message as SpawnerSaid
from schedulerd.errors import BadDefinition


@dataclass(frozen=True, slots=True)
class Tick:
    """The alarm rang."""


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody recorded a wish or a run in the database."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalGrew:
    """A run wrote something."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Whispered:
    """A run told a value that must not lie on disk, for a question of its; shown nowhere."""

    key: str
    question: str
    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpawnerSpoke:
    """The spawner said something; None: it has gone."""

    said: SpawnerSaid | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessEnded:
    """The process of an adopted run has ended."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionsChanged:
    """The folders were read. `flow_files` are all there are; `look_at` those whose content is new.

    What lies at or under a path of `withheld` is there but cannot be taken now: it stays in force as it was.
    `schedules` are those in force of the schedule files, by their paths, None when those files did not change: a file
    whose schedules are as they were has the same bundle. `whole`: everything was
    looked at, because it is the first time or because that was asked for.
    """

    flow_files: frozenset[str]
    look_at: frozenset[str]
    withheld: frozenset[str] = frozenset()
    refused: tuple[BadDefinition, ...] = ()
    schedules: Mapping[str, Bundle] | None = None
    schedule_errors: tuple[BadDefinition, ...] = ()
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """The daemon is to end. `leave`: runs go on; `drain`: wait for them, at most `patience`
    seconds, then leave the rest; `cancel`: end them now.
    """

    how: str
    patience: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reload:
    """Read everything anew; `done` is called when it was, and is in force."""

    done: Callable[[], None] = field(default=lambda: None)


Message = (
    Tick | Woken | JournalGrew | Whispered | SpawnerSpoke | ProcessEnded | DefinitionsChanged | Stop | Reload
)
