"""`flow.run()` of a flow with schedules, in plain Python: it runs at its times for as long as there are any."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.console import console_context
from schedulerd.authoring.context import Facts
from schedulerd.authoring.schedule_times import next_of, timings
from schedulerd.clock import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.executors import Executor
    from schedulerd.authoring.graph_states import State
    from schedulerd.authoring.graphs import Flow

INFO: Final = 20
VARIABLES: Final = ("SCHEDULERD__FLOWS__RUN_ON_SCHEDULE", "PREFECT__FLOWS__RUN_ON_SCHEDULE")
LONGEST_WAIT_SECONDS: Final = 60.0  # a clock that is put right, or a laptop that slept, is noticed after that


def wants_schedule(said: bool | None) -> bool:
    """Is a flow that has schedules to run at their times? What the call says counts, then the environment; else it is."""
    if said is not None:
        return said
    given = next((os.environ[name] for name in VARIABLES if name in os.environ), "true")
    return given.strip().lower() not in ("false", "0", "no", "off")


def run_at_times(
    flow: Flow,
    parameters: Mapping[str, Any],
    executor: Executor | None,
    *,
    context: Callable[[str], FlowContext] = console_context,
) -> State | None:
    """Run at each time that a schedule names, from now on, until there are no more: the state of the last run.

    A time that comes while a run still goes on is passed over. The parameters given go before those of the schedule.
    """
    outside = context(flow.name)
    began = moment(outside.now())
    found = list(timings(flow.schedules, flow=flow.name, first_seen=began))
    for schedule, _ in found:  # what is missing is said now, and not when the first is due
        flow.inputs_for({**schedule.parameters, **parameters})
    after, state = began, None
    while (due := next_of(found, after=after)) is not None:
        at, schedule = due
        outside.log(
            INFO,
            f"{flow.name} runs next at {at.isoformat()} by its schedule; run_on_schedule=False runs it now",
        )
        _wait_until(at, outside)
        inner = context(flow.name)
        inner.facts = Facts(due_at=at, schedule=schedule.name)
        state = flow.run_once({**schedule.parameters, **parameters}, inner, executor)
        after = max(at, moment(outside.now()))
    outside.log(INFO, f"{flow.name}: its schedule has no more times")
    return state


def _wait_until(at: datetime, context: FlowContext) -> None:
    """Wait by the clock that people read, piece by piece."""
    while (left := (at - moment(context.now())) / timedelta(seconds=1)) > 0:
        context.pause(min(left, LONGEST_WAIT_SECONDS))
