"""A flow for each thing that is shown of Prefect 3's names, by their rank; `tests/prefect` runs each in two places."""

# mypy: ignore-errors
import threading
from datetime import timedelta
from time import monotonic

from schedulerd import allow_failure, flow, get_run_logger, runtime, tags, task, unmapped
from schedulerd.authoring.refusals import MissingContext
from schedulerd.cache_policies import INPUTS, NO_CACHE, TASK_SOURCE
from schedulerd.context import get_run_context
from schedulerd.futures import as_completed, wait
from schedulerd.schedules import Cron, CronSchedule, Interval, RRule
from schedulerd.states import Cancelled, Completed, Failed, State
from schedulerd.task_runners import ConcurrentTaskRunner, SequentialTaskRunner, ThreadPoolTaskRunner
from schedulerd.tasks import exponential_backoff, task_input_hash


@task
def double(number):
    return number * 2


@task
def breaks(text="broken"):
    raise KeyError(text)


@task
def says(text):
    get_run_logger().info("said %s", text)
    return text


@flow(name="r01", flow_run_name="r01-{number}", description="one", version="7", retries=0)
def r01(number: int = 1):
    return double(number)


@flow(name="r01-raises")
def r01_raises():
    raise RuntimeError("out of order")


@flow(name="r01-late", timeout_seconds=0.3)
def r01_late():
    threading.Event().wait(30)


@task(name="twice", tags=["a"], retries=2, retry_delay_seconds=[0, 0.01], task_run_name="twice-{number}")
def r02_task(number):
    if get_run_context().task_run.run_count < 3:
        raise OSError("not yet")
    return number, runtime.task_run.name, runtime.task_run.run_count


@flow(name="r02")
def r02():
    return r02_task(4)


@flow(name="r02-raises")
def r02_raises():
    breaks()


@flow(name="r03")
def r03():
    says("hello")
    get_run_logger().warning("from the flow")


@flow(name="r04")
def r04():
    first = double.submit(1)
    second = double.submit(first, wait_for=[first])
    return [double.submit([second, {"deep": first}][0]).result(), second.result()]


@flow(name="r04-fails")
def r04_fails():
    broken = breaks.submit()
    held = double.submit(broken)
    held.wait()
    assert not held.state.is_completed(), held.state
    return held


@flow(name="r05")
def r05():
    future = double.submit(3)
    future.wait()
    return future.state.is_completed(), future.result(timeout=30)


@flow(name="r05-fails")
def r05_fails():
    future = breaks.submit("theirs")
    assert isinstance(future.result(raise_on_failure=False), KeyError)
    return future.result()


@flow(name="r06")
def r06():
    return "served"


@flow(name="r07")
def r07():
    return "deployed"


calls = []


@task(cache_key_fn=task_input_hash, cache_expiration=timedelta(minutes=5))
def r08_counted(number):
    calls.append(number)
    return number


@flow(name="r08")
def r08():
    return [r08_counted(8), r08_counted(8), r08_counted(9)] + [len(calls)]


@task(cache_key_fn=task_input_hash)
def r08_breaks(number):
    calls.append("broken")
    raise OSError(str(number))


@flow(name="r08-fails")
def r08_fails():
    for _ in range(2):
        r08_breaks(1, return_state=True)
    return calls.count("broken")


@flow(name="r11")
def r11():
    return [future.result() for future in double.map([1, 2, 3])] + says.map(["x"], wait_for=[]).result()


@task
def pair(left, right):
    return [left, right]


@flow(name="r11-unmapped")
def r11_unmapped():
    return pair.map([1, 2], unmapped([0, 0])).result()


@flow(name="r11-fails")
def r11_fails():
    pair.map([1, 2], [1, 2, 3])


@flow(name="r11-none")
def r11_none():
    double.map(5)


@flow(name="r17")
def r17():
    renamed = double.with_options(name="renamed", retries=1)
    return renamed(2), renamed.name, double.name, r01.with_options(name="other").name


@flow(name="r17-fails")
def r17_fails():
    double.with_options(retrys=1)


@flow(name="r18")
def r18():
    return double.fn(5), r01_raises.fn.__name__


@flow(name="r18-fails")
def r18_fails():
    breaks.fn("raw")


@task
def facts():
    return runtime.task_run.task_name, runtime.task_run.run_count, bool(runtime.flow_run.id)


@flow(name="r20", tags=["night"])
def r20(x: int = 1):
    return [runtime.flow_run.flow_name, runtime.flow_run.parameters, runtime.flow_run.tags, *facts()]


@flow(name="r20-fails")
def r20_fails():
    return runtime.flow_run.nothing_of_this_name


@flow(name="r21", task_runner=ThreadPoolTaskRunner(max_workers=2))
def r21():
    both = threading.Barrier(2)

    @task
    def meets(number):
        both.wait(30)
        return number

    side_by_side = sorted(meets.map([1, 2]).result())
    assert ConcurrentTaskRunner is ThreadPoolTaskRunner or ConcurrentTaskRunner()
    return side_by_side


@flow(name="r21-sequential", task_runner=SequentialTaskRunner)
def r21_sequential():
    order = []
    task(order.append).map([1, 2, 3]).wait()
    return order


@flow(name="r21-fails")
def r21_fails():
    flow(task_runner="threads")(lambda: None)


@task(tags=["own"])
def bears():
    return sorted(runtime.task_run.tags)


@flow(name="r22")
def r22():
    with tags("within", "both"):
        return bears()


@flow(name="r22-fails")
def r22_fails():
    with tags(5):
        bears()


@flow(name="r23")
def r23():
    state = double(1, return_state=True)
    assert isinstance(state, State)
    assert state.is_completed() and state.is_final() and state.result() == 2
    broken = breaks(return_state=True)
    assert broken.is_failed() and isinstance(broken.result(raise_on_failure=False), KeyError)
    return Completed(message="by hand")


@flow(name="r23-fails")
def r23_fails():
    return Failed(message="by hand")


@flow(name="r23-cancelled")
def r23_cancelled():
    return [Completed(), Failed(), Cancelled()]


@flow(
    name="r24",
    schedule=[Cron("0 6 * * *", timezone="Asia/Seoul", day_or=True, slug="six"), Interval(900, name="often")],
)
def r24():
    return [type(one).__name__ for one in r24.schedules]


@flow(name="r24-others", schedule=[RRule("FREQ=DAILY;BYHOUR=3"), CronSchedule(cron="1 2 3 4 *")])
def r24_others():
    return len(r24_others.schedules)


@flow(name="r24-fails")
def r24_fails():
    flow(schedule="0 6 * * *")(lambda: None)


@flow(name="r25")
def r25():
    return type(says(allow_failure(breaks.submit()))).__name__


@flow(name="r25-fails")
def r25_fails():
    return says(breaks.submit())


@task(cache_policy=INPUTS - "noise")
def r26_counted(number, noise):
    return noise


@task(cache_policy=NO_CACHE)
def r26_never(number):
    calls.append(number)
    return len(calls)


@flow(name="r26")
def r26():
    same = r26_counted(1, "first") == r26_counted(1, "second")
    return same, r26_never(1) != r26_never(1), type(INPUTS + TASK_SOURCE).__name__ != ""


@flow(name="r26-fails")
def r26_fails():
    task(cache_policy="inputs")(lambda: None)


@flow(name="r27")
def r27(x: int = 3):
    context = get_run_context()
    return context.flow_run.flow_name, context.parameters, context.start_time is not None


@flow(name="r27-fails")
def r27_fails():
    seen = []

    def outside():
        try:
            get_run_context()
        except MissingContext as error:
            seen.append(error)

    thread = threading.Thread(target=outside)
    thread.start()
    thread.join()
    raise seen[0]


@flow(name="r36")
def r36():
    futures = double.map([1, 2, 3])
    done, rest = wait(futures, timeout=30)
    return len(done), len(rest), sorted(future.result() for future in as_completed(futures))


@flow(name="r36-fails")
def r36_fails():
    gate = threading.Event()
    future = task(gate.wait).submit(30)
    try:
        list(as_completed([future], timeout=0.01))
    finally:
        gate.set()


@task(retries=2, retry_delay_seconds=exponential_backoff(backoff_factor=0.01), retry_jitter_factor=0)
def r37_task(began):
    if runtime.task_run.run_count < 3:
        raise OSError("again")
    return monotonic() - began >= 0.03


@flow(name="r37")
def r37():
    return r37_task(monotonic())


@flow(name="r37-fails")
def r37_fails():
    exponential_backoff(-1)(3)


# -- the semantics most likely to be got wrong --------------------------------------------------------------------


@flow(name="s01")
def s01():
    breaks.submit()
    return "nobody looked"


@flow(name="s01-future")
def s01_future():
    return breaks.submit()


@flow(name="s02", retries=1)
def s02(path: str = ""):
    once = says("once")
    with open(path, "a") as stream:
        stream.write(once + "\n")
    if runtime.flow_run.run_count == 1:
        raise OSError("the first attempt")
    return once


@task(
    retries=4,
    retry_delay_seconds=[0, 0.01],
    retry_condition_fn=lambda task, run, state: "stop" not in str(state.result(raise_on_failure=False)),
)
def s04_task(stops):
    count = runtime.task_run.run_count
    if count < 4:
        raise OSError("stop" if stops and count == 2 else "go on")
    return count


@flow(name="s04")
def s04():
    stopped = s04_task(True, return_state=True)
    return s04_task(False), stopped.is_failed()


@task
def prints():
    print("from a task")


@flow(log_prints=True, name="s08-inner")
def s08_inner():
    prints()


@flow(name="s08")
def s08():
    s08_inner()


@flow
def s10_has_underscores():
    return s10_has_underscores.name


r06.serve(name="nightly", cron="0 3 * * *", parameters={})
r07.deploy(name="weekly", work_pool_name="pool", image="an/image", build=False, push=False, interval=604_800)
