"""How a run ended: the whole table of what was asked of it, its last word and its exit."""

from itertools import product

import pytest

from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FlowKind
from schedulerd.domain.signal_names import signal_name
from schedulerd.domain.states import FINAL, MOVES, RunState
from schedulerd.domain.surroundings import Surroundings
from schedulerd.engine.notes import Exit
from schedulerd.scheduler.settlement import LastWord, Verdict, settle, word_of_keeper

A_FAILURE = Failure(type="ValueError", message="no")
COMPLETED = LastWord(state=RunState.COMPLETED, message="all 3 tasks completed")
FAILED = LastWord(state=RunState.FAILED, message="ValueError: no", failure=A_FAILURE)
CANCELLED = LastWord(state=RunState.CANCELLED, message="cancelled")
PYTHON, COMMAND = FlowKind.PYTHON, FlowKind.COMMAND


def ended(**values: object) -> Exit:
    return Exit(ended_us=0, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "last_word", "end", "state", "reason"),
    [
        # its own last word counts
        (PYTHON, COMPLETED, ended(status=0), RunState.COMPLETED, "all 3 tasks completed"),
        (PYTHON, FAILED, ended(status=1), RunState.FAILED, "ValueError: no"),
        (PYTHON, CANCELLED, ended(status=1), RunState.CANCELLED, "cancelled"),
        (PYTHON, COMPLETED, ended(signal=11), RunState.COMPLETED, "all 3 tasks completed"),
        (PYTHON, COMPLETED, None, RunState.COMPLETED, "all 3 tasks completed"),
        # no last word: it crashed, and the operating system says how
        (PYTHON, None, ended(status=0), RunState.CRASHED, "exited with status 0 without a last word"),
        (PYTHON, None, ended(status=70), RunState.CRASHED, "exited with status 70 without a last word"),
        (PYTHON, None, ended(signal=11), RunState.CRASHED, "killed by SIGSEGV"),
        (PYTHON, None, ended(signal=9), RunState.CRASHED, "killed by SIGKILL"),
        (PYTHON, None, ended(), RunState.CRASHED, "exit status unknown"),
        (PYTHON, None, None, RunState.CRASHED, "exit status unknown"),
        # a command says what it came to by its exit status
        (COMMAND, None, ended(status=0), RunState.COMPLETED, ""),
        (COMMAND, None, ended(status=3), RunState.FAILED, "exit status 3"),
        (COMMAND, None, ended(status=126), RunState.FAILED, "exit status 126: found but not executable"),
        (COMMAND, None, ended(status=127), RunState.FAILED, "exit status 127: command not found"),
        (COMMAND, None, ended(signal=15), RunState.CRASHED, "killed by SIGTERM"),
        (COMMAND, None, ended(signal=34), RunState.CRASHED, "killed by SIGRTMIN"),
        (COMMAND, None, None, RunState.CRASHED, "exit status unknown"),
        # what it was told to do comes before all that
        (PYTHON, COMPLETED, ended(status=0, stopped="timeout"), RunState.TIMED_OUT, "time limit"),
        (PYTHON, None, ended(signal=9, stopped="timeout"), RunState.TIMED_OUT, "time limit"),
        (COMMAND, None, ended(signal=15, stopped="timeout"), RunState.TIMED_OUT, "time limit"),
        (PYTHON, CANCELLED, ended(status=1, stopped="cancel"), RunState.CANCELLED, "cancelled"),
        (PYTHON, None, ended(signal=9, stopped="cancel"), RunState.CANCELLED, "killed by SIGKILL"),
        (COMMAND, None, ended(status=0, stopped="cancel"), RunState.CANCELLED, "status 0"),
        (PYTHON, None, ended(stopped="start: No space"), RunState.CRASHED, "could not be started"),
    ],
)
def test_a_run_comes_to(
    kind: FlowKind, last_word: LastWord | None, end: Exit | None, state: RunState, reason: str
) -> None:
    verdict = settle(was=RunState.RUNNING, kind=kind, last_word=last_word, ended=end)

    assert verdict.state is state
    assert reason in f"{verdict.reason}, {verdict.manner}"


def test_the_failure_of_the_last_word_is_kept() -> None:
    failed = settle(was=RunState.RUNNING, kind=PYTHON, last_word=FAILED, ended=ended(status=1))
    late = settle(
        was=RunState.RUNNING, kind=PYTHON, last_word=FAILED, ended=ended(status=1, stopped="timeout")
    )

    assert failed == Verdict(state=RunState.FAILED, reason="ValueError: no", failure=A_FAILURE)
    assert late.failure == A_FAILURE


EXITS = [
    None,
    ended(),
    *(
        ended(**how, stopped=stopped)
        for how in ({"status": 0}, {"status": 1}, {"signal": 9}, {})
        for stopped in (None, "cancel", "timeout", "start: why")
    ),
]


@pytest.mark.parametrize("was", [RunState.PENDING, RunState.RUNNING, RunState.CANCELLING])
def test_every_way_to_end_is_a_final_state_that_the_run_can_move_to(was: RunState) -> None:
    for kind, last_word, end in product(FlowKind, (None, COMPLETED, FAILED, CANCELLED), EXITS):
        state = settle(was=was, kind=kind, last_word=last_word, ended=end).state

        assert state in FINAL
        assert state in MOVES[was] | (MOVES[RunState.RUNNING] if was is RunState.PENDING else frozenset())


def test_a_run_that_is_being_cancelled_is_cancelled_however_it_went_down() -> None:
    for last_word, end in product((None, COMPLETED, FAILED, CANCELLED), EXITS):
        verdict = settle(was=RunState.CANCELLING, kind=PYTHON, last_word=last_word, ended=end)

        assert verdict.state is RunState.CANCELLED


def test_a_signal_without_a_name_is_called_by_its_number() -> None:
    assert signal_name(11) == "SIGSEGV"
    assert signal_name(99) == "signal 99"


CPU, MEMORY = Surroundings(cpu_seconds=10), Surroundings(memory_bytes=64_000_000)
OUT_OF_CPU = (RunState.TIMED_OUT, "used up its cpu_time of 10s")


@pytest.mark.parametrize(
    ("last_word", "end", "limits", "expected"),
    [
        (None, ended(signal=24), CPU, OUT_OF_CPU),
        (None, ended(signal=9, cpu_ms=10_000), CPU, OUT_OF_CPU),
        (None, ended(signal=9, cpu_ms=9_999), CPU, (RunState.CRASHED, "killed by SIGKILL")),
        (None, ended(signal=9), CPU, (RunState.CRASHED, "killed by SIGKILL")),
        (None, ended(signal=24), MEMORY, (RunState.CRASHED, "killed by SIGXCPU")),
        (word_of_keeper(-24), ended(signal=24), CPU, OUT_OF_CPU),
        (word_of_keeper(152), ended(status=152), CPU, OUT_OF_CPU),
        (word_of_keeper(137), ended(status=137, cpu_ms=11_000), CPU, OUT_OF_CPU),
        (word_of_keeper(152), None, CPU, OUT_OF_CPU),
        (word_of_keeper(1), ended(status=1), CPU, (RunState.FAILED, "exit status 1")),
        (word_of_keeper(0), ended(status=0), CPU, (RunState.COMPLETED, "")),
        (None, ended(signal=24, stopped="cancel"), CPU, (RunState.CANCELLED, "the daemon stopped")),
        (None, ended(signal=24, stopped="timeout"), CPU, (RunState.TIMED_OUT, "ended at its time limit")),
        (None, None, CPU, (RunState.CRASHED, "its process went away; exit status unknown")),
        (
            None,
            ended(signal=11),
            MEMORY,
            (RunState.CRASHED, "killed by SIGSEGV (its memory is limited to 64 MB)"),
        ),
        (
            word_of_keeper(134),
            ended(status=134),
            MEMORY,
            (RunState.FAILED, "exit status 134 (its memory is limited to 64 MB)"),
        ),
        (None, ended(signal=15), MEMORY, (RunState.CRASHED, "killed by SIGTERM")),
    ],
)
def test_a_limit_that_ended_a_run_is_told(
    last_word: LastWord | None, end: Exit | None, limits: Surroundings, expected: tuple[RunState, str]
) -> None:
    kind = PYTHON if last_word is None else COMMAND

    verdict = settle(was=RunState.RUNNING, kind=kind, last_word=last_word, ended=end, limits=limits)

    assert (verdict.state, verdict.reason) == expected


def test_a_keeper_has_nothing_to_add_to_what_its_command_said() -> None:
    assert word_of_keeper(1).after(FAILED) is FAILED
    assert word_of_keeper(1).after(None) == word_of_keeper(1)
    assert FAILED.after(word_of_keeper(1)) is FAILED
