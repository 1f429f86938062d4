"""What to do about a live run that nothing has been heard of: one decision from what the disk says. Pure.

The order of the questions is the order of a run's life, from its end backwards.
"""

from dataclasses import dataclass
from enum import StrEnum

from schedulerd.domain.states import RunState
from schedulerd.engine.folders import READY, Facts
from schedulerd.engine.notes import Stage


class Remedy(StrEnum):
    """What to do."""

    WAIT = "wait"  # somebody alive is about to move it
    ASK = "ask"  # prepared and not taken: ask a spawner for it
    WITHDRAW = "withdraw"  # prepared, not taken, and cancelled: take it ourselves, so that nobody starts it
    PREPARE = "prepare"  # no folder, or one that was given up before any user code: make it anew
    GIVE_UP = "give_up"  # taken by a spawner that is gone: keep it from starting, then look again
    ADOPT = "adopt"  # its process lives: watch it
    SETTLE = "settle"  # it has ended: read its journal to the end, and decide
    LOST = "lost"  # the machine was restarted, or its folder is gone: nothing more can be known


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What there is to know about one attempt.

    `asked`: our living spawner was asked for it and has not answered. `ours`: our living spawner has taken it.
    """

    state: RunState
    facts: Facts
    same_boot: bool
    asked: bool
    ours: bool
    process_lives: bool
    parent_lives: bool
    heard_of: bool  # something of its journal has been recorded, or it is known to have been taken


def remedy(scene: Scene) -> Remedy:
    """The one right thing to do about a live run."""
    facts = scene.facts
    if facts.where is None:
        return _without_folder(scene)
    if facts.where == READY:
        return _prepared(scene)
    if scene.asked or scene.ours:  # our spawner has it, or is about to say whether it has
        return Remedy.SETTLE if facts.exit is not None else Remedy.WAIT
    if facts.stage is Stage.VOID:
        wanted = scene.same_boot and scene.state is not RunState.CANCELLING
        return Remedy.PREPARE if wanted else Remedy.LOST
    if facts.exit is not None:
        return Remedy.SETTLE
    if facts.stage is Stage.ARMED:
        return Remedy.GIVE_UP if scene.same_boot else Remedy.LOST
    return _started(scene)


def _without_folder(scene: Scene) -> Remedy:
    if scene.asked or scene.ours:
        return Remedy.WAIT
    untouched = scene.state is RunState.PENDING and not scene.heard_of
    return Remedy.PREPARE if untouched and scene.same_boot else Remedy.LOST


def _prepared(scene: Scene) -> Remedy:
    if not scene.same_boot:
        return Remedy.LOST  # the rename that took it may have been lost with the power: it may have run
    if scene.state is RunState.CANCELLING:
        return Remedy.WITHDRAW
    return Remedy.WAIT if scene.asked else Remedy.ASK


def _started(scene: Scene) -> Remedy:
    if scene.process_lives:
        return Remedy.ADOPT
    if scene.parent_lives:
        return Remedy.WAIT  # its spawner outlived its daemon, and is about to write how it ended
    return Remedy.SETTLE
