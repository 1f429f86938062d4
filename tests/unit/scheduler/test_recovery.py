"""What to do about a run that nothing was heard of: a table, and what holds for every scene there can be."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from schedulerd.domain.states import LIVE, RunState
from schedulerd.engine.folders import READY, RUNS, Facts
from schedulerd.engine.notes import Exit, Stage
from schedulerd.engine.processes import ProcessId
from schedulerd.scheduler.recovery import Remedy, Scene, remedy

PROCESS = ProcessId(pid=4711, start_time=100, boot_id="this")
SPAWNER = ProcessId(pid=4700, start_time=90, boot_id="this")
AN_EXIT = Exit(ended_us=0, status=0)

NOWHERE = Facts()
PREPARED = Facts(where=READY, stage=Stage.ARMED)
TAKEN = Facts(where=RUNS, stage=Stage.ARMED)
FORKED = Facts(where=RUNS, stage=Stage.ARMED, process=PROCESS, parents=(SPAWNER,))
STARTED = Facts(where=RUNS, stage=Stage.STARTED, process=PROCESS, parents=(SPAWNER,))
GIVEN_UP = Facts(where=RUNS, stage=Stage.VOID)


def scene(facts: Facts, **changes: object) -> Scene:
    plain = Scene(
        state=RunState.PENDING,
        facts=facts,
        same_boot=True,
        asked=False,
        ours=False,
        process_lives=False,
        parent_lives=False,
        heard_of=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


CANCELLING, RUNNING = {"state": RunState.CANCELLING}, {"state": RunState.RUNNING}
OTHER_BOOT = {"same_boot": False}


@pytest.mark.parametrize(
    ("facts", "changes", "wanted"),
    [
        (NOWHERE, {}, Remedy.PREPARE),
        (NOWHERE, {"heard_of": True}, Remedy.LOST),
        (NOWHERE, RUNNING, Remedy.LOST),
        (NOWHERE, CANCELLING, Remedy.LOST),
        (NOWHERE, OTHER_BOOT, Remedy.LOST),
        (NOWHERE, {"asked": True}, Remedy.WAIT),
        (PREPARED, {}, Remedy.ASK),
        (PREPARED, {"asked": True}, Remedy.WAIT),
        (PREPARED, CANCELLING, Remedy.WITHDRAW),
        (PREPARED, {**CANCELLING, "asked": True}, Remedy.WITHDRAW),
        (PREPARED, OTHER_BOOT, Remedy.LOST),
        (TAKEN, {}, Remedy.GIVE_UP),
        (TAKEN, {"asked": True}, Remedy.WAIT),
        (TAKEN, {"ours": True}, Remedy.WAIT),
        (TAKEN, OTHER_BOOT, Remedy.LOST),
        (replace(TAKEN, exit=AN_EXIT), {}, Remedy.SETTLE),
        (FORKED, {"process_lives": True, "parent_lives": True}, Remedy.GIVE_UP),
        (GIVEN_UP, {}, Remedy.PREPARE),
        (replace(GIVEN_UP, exit=AN_EXIT), {}, Remedy.PREPARE),
        (GIVEN_UP, CANCELLING, Remedy.LOST),
        (GIVEN_UP, OTHER_BOOT, Remedy.LOST),
        (STARTED, {"process_lives": True}, Remedy.ADOPT),
        (STARTED, {"process_lives": True, "parent_lives": True}, Remedy.ADOPT),
        (STARTED, {"parent_lives": True}, Remedy.WAIT),
        (STARTED, {}, Remedy.SETTLE),
        (STARTED, OTHER_BOOT, Remedy.SETTLE),
        (STARTED, {"ours": True}, Remedy.WAIT),
        (STARTED, {"ours": True, "process_lives": True}, Remedy.WAIT),
        (replace(STARTED, exit=AN_EXIT), {"ours": True}, Remedy.SETTLE),
        (replace(STARTED, exit=AN_EXIT), {}, Remedy.SETTLE),
    ],
)
def test_the_remedy_is(facts: Facts, changes: dict[str, object], wanted: Remedy) -> None:
    assert remedy(scene(facts, **changes)) is wanted


def every_scene() -> Iterator[Scene]:
    """All that can be told apart, also what should never be."""
    places = [NOWHERE, PREPARED] + [
        Facts(where=RUNS, stage=stage, process=process, parents=(SPAWNER,) if process else (), exit=end)
        for stage, process, end in product((*Stage, None), (None, PROCESS), (None, AN_EXIT))
    ]
    for facts, state in product(places, sorted(LIVE)):
        for same_boot, asked, ours, process_lives, parent_lives, heard_of in product((True, False), repeat=6):
            known = facts.process is not None
            if (process_lives or parent_lives) and not (known and same_boot):
                continue
            yield Scene(
                state=state,
                facts=facts,
                same_boot=same_boot,
                asked=asked,
                ours=ours,
                process_lives=process_lives,
                parent_lives=parent_lives,
                heard_of=heard_of,
            )


SCENES = list(every_scene())


def test_every_scene_has_an_answer() -> None:
    assert {remedy(one) for one in SCENES} == set(Remedy)


def test_a_run_whose_process_runs_user_code_is_never_started_again() -> None:
    for one in SCENES:
        if one.process_lives and one.facts.stage is Stage.STARTED:
            assert remedy(one) in (Remedy.ADOPT, Remedy.WAIT, Remedy.SETTLE)
            assert remedy(one) is not Remedy.SETTLE or one.facts.exit is not None


def test_nobody_is_asked_for_a_run_that_our_spawner_was_asked_for_or_has() -> None:
    for one in SCENES:
        if one.asked or (one.ours and one.facts.where == RUNS):
            assert remedy(one) not in (Remedy.ASK, Remedy.PREPARE, Remedy.GIVE_UP, Remedy.ADOPT)


def test_a_run_is_made_anew_only_when_none_of_its_user_code_can_have_run() -> None:
    for one in SCENES:
        if remedy(one) is Remedy.PREPARE:
            assert one.same_boot
            assert one.facts.stage in (Stage.VOID, None)
            assert one.facts.stage is Stage.VOID or (one.state is RunState.PENDING and not one.heard_of)


def test_nothing_of_before_a_restart_of_the_machine_is_asked_for_or_waited_for_but_what_was_asked() -> None:
    for one in SCENES:
        if not one.same_boot and not one.asked and not one.ours:
            assert remedy(one) in (Remedy.LOST, Remedy.SETTLE)


def test_a_run_that_is_being_cancelled_is_never_started() -> None:
    for one in SCENES:
        if one.state is RunState.CANCELLING:
            assert remedy(one) not in (Remedy.ASK, Remedy.PREPARE)
