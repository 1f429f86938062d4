"""Hooks of flows whose run has ended: that they are to be called."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.ids import RunId, RunKey
from schedulerd.domain.states import FINAL, RunState


@dataclass(frozen=True, kw_only=True, slots=True)
class DueHooks:
    """That the hooks of a run are to be called, for the move of this `number` by which it came to a final state.

    `version_hash` is the code of that attempt; `boot_id` the boot of the machine in which they were taken for calling,
    None as long as nobody has.
    """

    run: RunKey
    id: RunId
    selector: str
    number: int
    attempt: int
    state: RunState
    message: str
    at: datetime
    version_hash: str | None
    boot_id: str | None = None

    @property
    def folder(self) -> str:
        """The name of their folder on disk."""
        return f"{self.id}.hooks-{self.number}"


def hooks_text(states: Iterable[RunState]) -> str | None:
    """Final states with hooks as a text, None for none."""
    return " ".join(sorted(states)) or None


def read_hooks(text: str | None) -> frozenset[RunState]:
    """The states that `hooks_text` was given; what this version does not know is left out."""
    known = {state.value: state for state in FINAL}
    return frozenset(known[word] for word in (text or "").split() if word in known)
