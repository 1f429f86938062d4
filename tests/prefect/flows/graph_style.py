"""A flow for each thing that is shown of Prefect 1's names, by their rank; `tests/prefect` runs each in two places."""

# mypy: ignore-errors
import os
import threading
from datetime import UTC, datetime, timedelta

import schedulerd
from schedulerd import Flow, Parameter, Task, case, flatten, mapped, task, triggers, unmapped
from schedulerd.client import Secret
from schedulerd.core.parameter import DateTimeParameter
from schedulerd.engine.signals import ENDRUN, FAIL, LOOP, RETRY, SKIP, SUCCESS
from schedulerd.engine.state import Failed, Skipped, Success, TriggerFailed
from schedulerd.executors import LocalDaskExecutor, LocalExecutor
from schedulerd.schedules import CronSchedule, IntervalSchedule, Schedule
from schedulerd.schedules.clocks import CronClock, IntervalClock
from schedulerd.schedules.filters import is_weekday
from schedulerd.tasks.control_flow import FilterTask, ifelse, merge, switch
from schedulerd.tasks.secrets import EnvVarSecret, PrefectSecret
from schedulerd.tasks.shell import ShellTask
from schedulerd.utilities.debug import raise_on_exception
from schedulerd.utilities.logging import get_logger
from schedulerd.utilities.tasks import defaults_from_attrs, tags


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


with Flow("g01", IntervalSchedule(interval=timedelta(days=30))) as g01:
    one()

with Flow("g01-fails") as g01_fails:
    one(upstream_tasks=[breaks()])

tries = []


@task(name="tried", max_retries=2, retry_delay=timedelta(seconds=0), tags=["a"], log_stdout=True)
def g02_task():
    tries.append(1)
    if len(tries) % 3:
        raise OSError("not yet")
    print("third")
    return len(tries)


with Flow("g02") as g02:
    g02_task()


@task
def g02_refuses():
    return raised(ValueError, task, max_retries=1) != ""


with Flow("g02-fails") as g02_fails:
    g02_refuses()

with Flow("g03") as g03:
    first = one()
    add(first, right=first, upstream_tasks=[one], task_args={"name": "sum"})


@task
def g03_refuses():
    with Flow("inner") as inner:
        add(1, nothing=2)
    return inner.run().is_failed(), one()


with Flow("g03-fails") as g03_fails:
    g03_refuses()


@task
def pair():
    return {"k": [5, 6]}


@task(nout=2)
def two():
    return 3, 4


with Flow("g04") as g04:
    left, right = two()
    everything = (left + right * 2 - 1) / 2
    add(pair()["k"][1] % 4, everything)

with Flow("g04-fails") as g04_fails:
    pair()["nothing"]


@task
def g05_runs():
    with Flow("inner") as inner:
        x = Parameter("x", default=1)
        total = add(x)
    state = inner.run(x=5)
    return [state.is_successful(), state.result[total].result, raised(ValueError, inner.run, y=1)[:40] != ""]


with Flow("g05") as g05:
    g05_runs()


@task
def g05_within():
    with Flow("inner") as inner:
        raised(RuntimeError, inner.run)
        one()
    with Flow("broken") as broken:
        breaks()
    return broken.run().is_failed()


with Flow("g05-fails") as g05_fails:
    g05_within()

with Flow("g06") as g06:
    add(Parameter("x", default=4), Parameter("y", default=3))


@task
def year(moment):
    return moment.year if isinstance(moment, datetime) else moment


with Flow("g06-moment") as g06_moment:
    year(DateTimeParameter("at", default="2026-11-27T00:00:00+00:00"))

with Flow("g06-fails") as g06_fails:
    add(Parameter("needed"))


@task
def asks():
    context = schedulerd.context
    context.get("logger").info("asked")
    with schedulerd.context(made_up=7):
        made_up = context.made_up
    return [context.flow_name, context.get("nothing"), len(context.today), made_up, context.task_name]


with Flow("g07") as g07:
    asks()


@task
def asks_what_is_not_there():
    return schedulerd.context.nothing_of_this_name


with Flow("g07-fails") as g07_fails:
    asks_what_is_not_there()


@task
def numbers(most=3):
    return list(range(most))


@task
def total(values):
    return sum(values)


with Flow("g08") as g08:
    total(add.map(numbers(), [1, 2, 3, 4, 5]))  # the shortest wins

with Flow("g08-unmapped") as g08_unmapped:
    total(add.map(flatten([[1, 2], [3]]), unmapped(100)))

with Flow("g08-mapped") as g08_mapped:
    total(add(mapped([1, 2]), 0))

with Flow("g08-empty") as g08_empty:
    total(add.map(numbers(0)))


@task
def inverse(number):
    return 1 / number


with Flow("g08-fails") as g08_fails:
    total(inverse.map(numbers()))

clocks = [CronClock("0 6 * * *"), IntervalClock(timedelta(days=30), parameter_defaults={"x": 2})]
with Flow("g12", Schedule(clocks=clocks, filters=[is_weekday])) as g12:
    add(Parameter("x", default=1))


@task
def g12_refuses():
    return raised(Exception, IntervalSchedule, interval=timedelta(0)) != "", len(
        CronSchedule("0 6 * * *").next(2)
    )


with Flow("g12-fails") as g12_fails:
    g12_refuses()

both = threading.Barrier(2)


@task
def meets(number):
    both.wait(30)
    return number


with Flow("g13", executor=LocalDaskExecutor(scheduler="threads", num_workers=2)) as g13:
    total([meets(1), meets(2)])

with Flow("g13-local") as g13_local:
    total([one(), one()])
g13_local.executor = LocalExecutor()


@task
def g13_refuses():
    return raised(Exception, LocalDaskExecutor, num_workers="many") != ""


with Flow("g13-fails") as g13_fails:
    g13_refuses()


class Greeting(Task):
    """A task with a state of its own."""

    def __init__(self, word, **options):
        self.word = word
        super().__init__(**options)

    @defaults_from_attrs("word")
    def run(self, name, word=None):
        self.logger.info("greeting %s", name)
        return f"{word} {name}"


with Flow("g14") as g14:
    Greeting("hello", name="greets")("you")


class Forgets(Task):
    """A task without a run."""


@task
def g14_refuses():
    return raised(TypeError, Forgets) != ""


with Flow("g14-fails") as g14_fails:
    g14_refuses()


with Flow("g15") as g15:
    with case(one(), 1):
        yes = add(1, 1)
    with case(one(), 2):
        no = add(2, 2)
    add(merge(yes, no), 0)

with Flow("g15-switch") as g15_switch:
    ifelse(one(), add(1, 1), add(2, 2))
    switch(one(), {1: add(5, 5), 2: breaks()})
    total(FilterTask(filter_func=lambda value: value > 1)([1, 2, 3]))

with Flow("g15-fails") as g15_fails, case(breaks(), 1):
    one()


@task
def noted(order, what):
    order.append(what)
    return list(order)


class Notes(Task):
    """Notes its name, in the order in which it ran."""

    def run(self):
        return self.name


g16 = Flow("g16")
a, b, c = Notes(name="a"), Notes(name="b"), Notes(name="c")
g16.add_edge(a, b)
c.set_upstream(b, flow=g16)
g16.set_reference_tasks([c])

with Flow("g16-references") as g16_references:
    fine = one()
    breaks()
g16_references.set_reference_tasks([fine])


@task
def g16_refuses():
    with Flow("circle") as circle:
        first, second = one(), add(1, 1)
    first.set_upstream(second, flow=circle)
    second.set_upstream(first, flow=circle)
    return raised(ValueError, circle.run) != ""


with Flow("g16-fails") as g16_fails:
    g16_refuses()


@task
def loops():
    count = schedulerd.context.get("task_loop_result", 0)
    if count < 3:
        raise LOOP(result=count + 1)
    return count


@task
def succeeds():
    raise SUCCESS("early", result=7)


again = []


@task
def asked_again():
    again.append(1)
    if len(again) % 2:
        raise RETRY("once more", start_time=datetime(2026, 1, 1, tzinfo=UTC))
    return "again"


with Flow("g17") as g17:
    total([loops(), succeeds()])

with Flow("g17-retry") as g17_retry:
    asked_again()


@task
def skips():
    raise SKIP("nothing to do")


with Flow("g17-skip") as g17_skip:
    add(skips())


@task
def fails():
    raise FAIL("by signal")


with Flow("g17-fails") as g17_fails:
    fails()


@task
def ends():
    raise ENDRUN(Failed("it is over"))


with Flow("g17-endrun") as g17_endrun:
    ends()


@task
def g18_states():
    with Flow("inner") as inner:
        broken = breaks()
        held = add(broken)
        skipped = skips()
    states = inner.run().result
    return [
        states[broken].is_failed(),
        isinstance(states[held], TriggerFailed),
        isinstance(states[skipped], Skipped) and isinstance(states[skipped], Success),
        Success("fine", result=1).is_finished(),
    ]


with Flow("g18") as g18:
    g18_states()


with Flow("g18-fails") as g18_fails:
    add(breaks())


@task(trigger=triggers.any_failed)
def mends():
    return "mended"


@task(trigger=triggers.all_finished)
def always():
    return "always"


@task(trigger=triggers.some_successful(at_least=1))
def some():
    return "some"


with Flow("g19") as g19:
    broken = breaks()
    last = always(upstream_tasks=[broken, one()])
    mends(upstream_tasks=[broken])
    some(upstream_tasks=[broken, one()])
g19.set_reference_tasks([last])


@task(trigger=triggers.all_failed)
def only_if_all_failed():
    return "never"


with Flow("g19-fails") as g19_fails:
    only_if_all_failed(upstream_tasks=[one()])


@task
def length(text):
    return len(text)


os.environ.setdefault("G21_SECRET", "hidden")
os.environ.setdefault("PREFECT__CONTEXT__SECRETS__G21", '"kept"')
os.environ.setdefault("SCHEDULERD__CONTEXT__SECRETS__G21", '"kept"')
with Flow("g21") as g21:
    total([length(EnvVarSecret("G21_SECRET")()), length(PrefectSecret("G21")())])


@task
def g21_asks():
    return Secret("G21_IS_NOWHERE").get()


with Flow("g21-fails") as g21_fails:
    g21_asks()

with Flow("g24") as g24:
    ShellTask(command="echo one; echo two", return_all=True)()

with Flow("g24-fails") as g24_fails:
    ShellTask(command="echo out of luck; exit 3")()


def replaces(task, old, new):
    """A handler that mends a failure."""
    return Success("mended", result=9) if new.is_failed() else new


def refuses_state(task, old, new):
    """A handler that is broken."""
    raise RuntimeError("a broken handler")


with Flow("g26") as g26:
    add(task(lambda: 1 / 0, name="zero", state_handlers=[replaces])(), 1)

with Flow("g26-fails") as g26_fails:
    task(lambda: 1, name="handled", state_handlers=[refuses_state])()


@task
def g28_debugs():
    get_logger("etl").info("said by a logger")
    with Flow("inner") as inner:
        breaks()
    with tags("t"):
        pass
    with raise_on_exception():
        return raised(KeyError, inner.run)


with Flow("g28") as g28:
    g28_debugs()


@task
def g28_lets_go():
    with Flow("inner") as inner:
        breaks()
    with raise_on_exception():
        inner.run()


with Flow("g28-fails") as g28_fails:
    g28_lets_go()


# -- the semantics most likely to be got wrong --------------------------------------------------------------------

order = []
tried = []


@task(max_retries=1, retry_delay=timedelta(seconds=0.01))
def at_second_try():
    tried.append(1)
    order.append("tried")
    if len(tried) % 2:
        raise OSError("not yet")


@task
def beside():
    order.append("beside")
    return list(order)


@task(trigger=triggers.all_finished)
def in_which_order():
    return list(order)


with Flow("s06") as s06:
    in_which_order(upstream_tasks=[at_second_try(), beside()])
