"""The rest of Prefect 1's names by their rank: the imperative API, schedules, signals, states and triggers."""

# mypy: ignore-errors
from datetime import UTC, datetime

from schedulerd import Flow, Task, task, triggers
from schedulerd.engine.signals import TRIGGERFAIL, VALIDATIONFAIL
from schedulerd.engine.state import (
    Cached,
    Cancelled,
    Failed,
    Mapped,
    Retrying,
    Running,
    State,
    Success,
    TimedOut,
)
from schedulerd.executors import DaskExecutor
from schedulerd.schedules import RRuleSchedule, Schedule
from schedulerd.schedules.clocks import DatesClock, IntervalClock, RRuleClock

STARTS = datetime(2027, 1, 1, tzinfo=UTC)


@task
def one():
    return 1


@task
def add(left, right=10):
    return left + right


@task
def breaks():
    raise KeyError("broken")


def raised(kind, fn, *args, **kwargs):
    """The message of what this raises, which has to be of that kind."""
    try:
        fn(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError(f"{fn} raised nothing")


with Flow("g04-compares") as g04_compares:
    add(one().is_equal(1), one().not_equal(1))


@task
def g04_refuses():
    with Flow("inner") as inner:
        compared = one() < "text"
    return isinstance(inner.run().result[compared].result, TypeError)


with Flow("g04-compares-fails") as g04_compares_fails:
    g04_refuses()


@task
def g12_times():
    clocks = [DatesClock([STARTS]), RRuleClock("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1", STARTS)]
    return [one.month for one in Schedule(clocks=clocks).next(2, after=datetime(2026, 12, 1, tzinfo=UTC))]


with Flow("g12-times", RRuleSchedule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", STARTS)) as g12_times_flow:
    g12_times()


@task
def g12_no_clock():
    return [
        raised(TypeError, Schedule, clocks=["0 6 * * *"])[:7],
        raised(TypeError, IntervalClock, 3600)[:8],
        raised(TypeError, DatesClock, ["2027-01-01"])[:7],
        raised(ValueError, RRuleClock, "RRULE:FREQ=DAILY\nRRULE:FREQ=YEARLY")[:17],
    ]


with Flow("g12-times-fails") as g12_times_fails:
    g12_no_clock()

with Flow("g13-dask", executor=DaskExecutor(cluster_kwargs={"n_workers": 2, "processes": False})) as g13_dask:
    add(one(), one())

with Flow("g13-dask-fails", executor=DaskExecutor(cluster_kwargs={"processes": False})) as g13_dask_fails:
    add(breaks(), one())


class Named(Task):
    """Gives its name on, after what it was given."""

    def run(self, before=""):
        return before + self.name


g16_imperative = Flow("g16-imperative")
a, b, c, d = (Named(name=name) for name in "abcd")
g16_imperative.add_task(a)
g16_imperative.chain(a, b)
g16_imperative.set_dependencies(c, upstream_tasks=[b], keyword_tasks={"before": a})
_more = Flow("more", tasks=[d])
g16_imperative.update(_more)
g16_imperative.set_reference_tasks([c])


@task
def g16_looks():
    names = sorted(one.name for one in g16_imperative.get_tasks())
    drawn = g16_imperative.visualize()
    return names, all(f'label="{name}"' in str(drawn) or name in str(drawn) for name in names)


with Flow("g16-looks") as g16_looks_flow:
    g16_looks()


@task
def g16_refuses():
    flow = Flow("strange")
    return [
        raised(TypeError, flow.add_task, 5) != "",
        raised(ValueError, flow.set_reference_tasks, [Named(name="nowhere")]) != "",
        flow.get_tasks(name="nowhere"),
    ]


with Flow("g16-imperative-fails") as g16_imperative_fails:
    g16_refuses()


@task
def not_before():
    raise TRIGGERFAIL("not before")


@task
def not_valid():
    raise VALIDATIONFAIL("not valid")


with Flow("g17-triggerfail") as g17_triggerfail:
    not_before()

with Flow("g17-validationfail") as g17_validationfail:
    not_valid()


@task
def g18_kinds():
    with Flow("inner") as inner:
        several = add.map([1, 2])
        late = task(
            lambda: 1, name="late", state_handlers=[lambda one, old, new: seen.append(new) and None]
        )()
    seen = []
    states = inner.run().result
    return [
        isinstance(states[several], Mapped) and len(states[several].map_states),
        isinstance(seen[0], Running) and isinstance(states[late], State),
        Retrying("again").is_retrying() and not Retrying("again").is_finished(),
        Cached(result=1).is_successful() and Cached(result=1).is_cached(),
        TimedOut("late").is_failed() and not Cancelled("stopped").is_failed(),
    ]


with Flow("g18-kinds") as g18_kinds_flow:
    g18_kinds()


def ends_it(kind):
    """A handler by which the task ends in another state."""
    return lambda one, old, new: kind("by a handler") if new.is_finished() else new


with Flow("g18-timed-out") as g18_timed_out:
    task(lambda: 1, name="late", state_handlers=[ends_it(TimedOut)])()

with Flow("g18-cancelled") as g18_cancelled:
    task(lambda: 1, name="stopped", state_handlers=[ends_it(Cancelled)])()

with Flow("g18-unfinished") as g18_unfinished:
    task(lambda: 1, name="asked", state_handlers=[lambda one, old, new: Running("no end")])()


def triggered(trigger, *before):
    """How a task with this trigger ends after tasks that ended so."""
    ends = {"good": Success, "bad": Failed}
    with Flow("inner") as inner:
        held = task(lambda: "ran", name="held", trigger=trigger, skip_on_upstream_skip=False)
        upstream = [
            task(
                lambda: 1,
                name=f"{word}-{place}",
                state_handlers=[lambda one, old, new, kind=ends[word]: kind() if new.is_finished() else new],
            )()
            for place, word in enumerate(before)
        ]
        node = held(upstream_tasks=upstream)
    return inner.run().result[node].name


@task
def g19_kinds():
    return {
        "all_successful": [triggered(triggers.all_successful, "good", end) for end in ("good", "bad")],
        "always_run": [triggered(triggers.always_run, end) for end in ("good", "bad")],
        "any_successful": [triggered(triggers.any_successful, "bad", end) for end in ("good", "bad")],
        "some_failed": [triggered(triggers.some_failed(at_least=1), "good", end) for end in ("bad", "good")],
        "not_all_skipped": [triggered(triggers.not_all_skipped, "good", end) for end in ("good", "bad")],
    }


with Flow("g19-kinds") as g19_kinds_flow:
    g19_kinds()


@task
def g19_refuses():
    return raised(ValueError, triggers.some_failed, at_least="one") != ""


with Flow("g19-kinds-fails") as g19_kinds_fails:
    g19_refuses()


@task
def asks_a_client():
    from schedulerd import Client

    Client().create_flow_run(flow_id="1")


with Flow("g20-fails") as g20_fails:
    asks_a_client()


@task
def has_a_config():
    from schedulerd import config

    return hasattr(config, "load_settings")


with Flow("g28-config") as g28_config:
    has_a_config()


@task
def sets_a_config():
    from schedulerd.utilities.configuration import set_temporary_config

    with set_temporary_config({"flows.checkpointing": True}):
        pass


@task
def asks_a_config():
    from schedulerd import config

    return config.flows.checkpointing


with Flow("g28-config-fails") as g28_config_fails:
    sets_a_config()

with Flow("g28-config-asked-fails") as g28_config_asked_fails:
    asks_a_config()
