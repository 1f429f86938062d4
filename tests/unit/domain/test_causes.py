"""What a run's end, and a file, are to a schedule; and which chains there may be."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.causes import (
    EndedRun,
    SettledFile,
    cause_of_call,
    cause_of_end,
    cause_of_file,
    is_meant,
    outcome,
)
from schedulerd.domain.chains import Chains
from schedulerd.domain.ids import FlowKey, RunKey, ScheduleKey
from schedulerd.domain.runs import SkipReason, Trigger
from schedulerd.domain.schedules import After, FileAppears, Pause, Schedule, Webhook, When
from schedulerd.domain.states import ENDED, RunState
from schedulerd.errors import BadParameters
from tests.builders import NOW, a_run_id, a_schedule

FLOWS = ["a", "b", "c", "d", "e"]
states = st.sampled_from(sorted(ENDED))


def schedule(when: When) -> Schedule:
    return Schedule(
        key=ScheduleKey(1),
        flow_key=FlowKey(1),
        definition=a_schedule(when=when),
        first_seen=NOW,
        watermark=NOW,
        next_due=None,
    )


def ended(flow: str = "etl", state: RunState = RunState.COMPLETED, *, seconds: int = 1) -> EndedRun:
    return EndedRun(
        key=RunKey(1),
        id=a_run_id(),
        flow=flow,
        number=7,
        state=state,
        attempt=1,
        ended_at=NOW + timedelta(seconds=seconds),
    )


def a_settled_file(path: str = "/inbox/a.csv", **changes: int) -> SettledFile:
    file = SettledFile(path=path, inode=1, size=2, modified_ns=3, changed_at=NOW + timedelta(seconds=1))
    return replace(file, **changes)  # type: ignore[arg-type]


@given(
    flows=st.lists(st.sampled_from(FLOWS), min_size=1, unique=True),
    wanted=st.sets(states, min_size=1),
    flow=st.sampled_from(FLOWS),
    state=states,
    seconds=st.integers(-5, 5),
)
def test_an_end_counts_for_the_flows_and_states_that_are_named_since_the_schedule_is_there(
    flows: list[str], wanted: set[RunState], flow: str, state: RunState, seconds: int
) -> None:
    after = schedule(After(flows=tuple(flows), states=tuple(wanted)))

    cause = cause_of_end(after, ended(flow, state, seconds=seconds))

    assert (cause is not None) == (flow in flows and state in wanted and seconds >= 0)
    if cause is not None:
        assert (cause.trigger, cause.subject) == (Trigger.AFTER, f"{flow}#7 {state}")


def test_each_attempt_that_ends_is_a_cause_of_its_own_and_one_seen_twice_is_the_same() -> None:
    after, run = schedule(After(flows=("etl",))), ended()

    again, once_more = cause_of_end(after, run), cause_of_end(after, replace(run, attempt=2))

    assert again == cause_of_end(after, run)
    assert again is not None
    assert once_more is not None
    assert again.mark != once_more.mark


@given(
    st.tuples(st.sampled_from(["/a", "/b"]), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.sampled_from(["/a", "/b"]), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)),
)
def test_two_files_have_one_mark_only_where_they_are_the_same(
    one: tuple[str, int, int, int], other: tuple[str, int, int, int]
) -> None:
    first, second = (
        SettledFile(path=path, inode=inode, size=size, modified_ns=modified, changed_at=NOW)
        for path, inode, size, modified in (one, other)
    )

    assert (first.mark == second.mark) == (one == other)


def test_a_file_is_given_as_the_parameter_and_one_that_was_there_before_is_nothing() -> None:
    appears = schedule(FileAppears(pattern="/inbox/*.csv", parameter="source"))

    cause = cause_of_file(appears, a_settled_file())
    before = replace(a_settled_file(), changed_at=NOW - timedelta(seconds=1))

    assert cause is not None
    assert (cause.parameters, cause.trigger) == ({"source": "/inbox/a.csv"}, Trigger.FILE)
    assert cause_of_file(appears, before) is None
    assert cause_of_file(schedule(After(flows=("etl",))), a_settled_file()) is None


@pytest.mark.parametrize(
    ("pattern", "path", "is_one"),
    [
        ("/inbox/*.csv", "/inbox/a.csv", True),
        ("/inbox/*.csv", "/inbox/sub/a.csv", False),
        ("/inbox/*.csv", "/inbox/a.csv.part", False),
        ("/inbox/*.csv", "/other/a.csv", False),
        ("/inbox/*", "/inbox/.hidden", False),
        ("/inbox/.*", "/inbox/.hidden", True),
        ("/inbox/[ab]?.csv", "/inbox/a1.csv", True),
        ("/inbox/ready", "/inbox/ready", True),
        ("/inbox/A.csv", "/inbox/a.csv", False),
    ],
)
def test_which_files_a_pattern_means(pattern: str, path: str, is_one: bool) -> None:
    assert is_meant(FileAppears(pattern=pattern), path) == is_one


def test_what_comes_while_a_schedule_is_paused_is_skipped_for_that() -> None:
    after = schedule(After(flows=("etl",)))

    assert outcome(after) is None
    assert outcome(replace(after, paused=Pause(at=NOW, by="me", reason="why"))) is SkipReason.PAUSED


edges = st.tuples(st.sampled_from(FLOWS), st.lists(st.sampled_from(FLOWS), min_size=1, max_size=3))


@given(st.lists(edges, max_size=20))
def test_what_is_let_in_never_comes_back_to_its_beginning_and_what_is_refused_would(
    wanted: list[tuple[str, list[str]]],
) -> None:
    chains, let_in = Chains(), set[tuple[str, str]]()
    for flow, after in wanted:
        circle = chains.circle(flow, after)
        would_be = let_in | {(earlier, flow) for earlier in after}

        assert bool(circle) == has_circle(would_be)
        if circle:
            assert circle[0] == circle[-1] == flow
            assert all((circle[at + 1], circle[at]) in would_be for at in range(len(circle) - 1))
        else:
            chains.add(flow, after)
            let_in = would_be


def has_circle(edges: set[tuple[str, str]]) -> bool:
    """Take away what nothing comes before, until nothing is left, or nothing can be taken."""
    left = set(FLOWS)
    while free := {flow for flow in left if not any(end == flow and start in left for start, end in edges)}:
        left -= free
    return bool(left)


def hook(parameter: str | None = None, **fixed: object) -> Schedule:
    one = schedule(Webhook(hook="deploy", secret="deploy", parameter=parameter))
    return replace(one, definition=replace(one.definition, parameters=fixed))


@pytest.mark.parametrize(
    ("parameter", "body", "given"),
    [
        (None, {"a": 1}, {}),
        (None, None, {}),
        ("event", {"a": 1}, {"event": {"a": 1}}),
        ("event", None, {"event": None}),
        ("event", [1, "x"], {"event": [1, "x"]}),
        ("*", {"a": 1, "b": None}, {"a": 1, "b": None}),
        ("*", {}, {}),
        ("*", None, {}),
    ],
)
def test_what_a_flow_is_given_of_a_call(parameter: str | None, body: object, given: object) -> None:
    cause = cause_of_call(hook(parameter, label="x"), body, call="1")

    assert cause.parameters == given
    assert (cause.trigger, cause.subject) == (Trigger.WEBHOOK, "deploy")


@pytest.mark.parametrize("body", [[], "text", 3, True])
def test_members_are_those_of_an_object(body: object) -> None:
    with pytest.raises(BadParameters, match="the body must be an object"):
        cause_of_call(hook("*"), body, call="1")


def test_a_call_does_not_change_what_the_schedule_says_itself() -> None:
    with pytest.raises(BadParameters, match="the schedule says itself what 'region' is"):
        cause_of_call(hook("*", region="kr"), {"region": "us"}, call="1")


def test_a_call_that_is_made_again_is_the_same_cause_and_shows_nothing_of_its_key() -> None:
    once, again, other = (cause_of_call(hook(), None, call=key) for key in ("key-1", "key-1", "key-2"))

    assert once.mark == again.mark != other.mark
    assert "key-1" not in once.mark
