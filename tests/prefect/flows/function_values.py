"""The rest of Prefect 3's names by their rank: states, futures, schedules, policies, contexts, runners."""

# mypy: ignore-errors
from datetime import timedelta

from schedulerd import flow, get_run_logger, runtime, task
from schedulerd.cache_policies import DEFAULT, FLOW_PARAMETERS, NONE, RUN_ID
from schedulerd.context import FlowRunContext, TaskRunContext
from schedulerd.futures import PrefectFuture
from schedulerd.schedules import IntervalSchedule, RRuleSchedule
from schedulerd.states import Crashed, Pending, Running, Scheduled
from schedulerd.task_runners import ProcessPoolTaskRunner

ran = []


@task
def double(number):
    return number * 2


@task
def says_no(text="no"):
    raise LookupError(text)


@flow(name="r05-kind")
def r05_kind():
    return isinstance(double.submit(1), PrefectFuture), [
        isinstance(one, PrefectFuture) for one in double.map([1])
    ]


@flow(name="r12-fails")
def r12_fails():
    from schedulerd.deployments import Deployment

    Deployment.build_from_flow(r12_fails, name="nightly").apply()


@flow(name="r20-deployment")
def r20_deployment():
    return runtime.deployment.id, runtime.deployment.name, runtime.deployment.parameters


@flow(name="r20-deployment-fails")
def r20_deployment_fails():
    return runtime.deployment.nothing_of_this_name


@task
def own_process(number):
    import os

    return number * 2, os.getpid()


@flow(name="r21-processes", task_runner=ProcessPoolTaskRunner(max_workers=1))
def r21_processes():
    import os

    value, pid = own_process.submit(4).result()
    return value, pid != os.getpid()


@flow(name="r21-processes-fails", task_runner=ProcessPoolTaskRunner(max_workers=1))
def r21_processes_fails():
    return says_no.submit("from there").result()


@flow(name="r23-kinds")
def r23_kinds():
    several = [Crashed(), Running(), Pending(), Scheduled()]
    return [one.type.value for one in several], [one.is_final() for one in several]


@flow(name="r23-crashed")
def r23_crashed():
    return Crashed(message="it went away")


@flow(name="r23-unfinished")
def r23_unfinished():
    return Running(message="still at it")


@flow(
    name="r24-of-clients",
    schedule=[
        IntervalSchedule(interval=timedelta(days=300)),
        RRuleSchedule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
    ],
)
def r24_of_clients():
    return len(r24_of_clients.schedules)


@flow(name="r24-of-clients-fails")
def r24_of_clients_fails():
    flow(schedule=IntervalSchedule(interval=3600))(lambda: None)


@task(cache_policy=DEFAULT)
def by_default(number):
    ran.append("default")
    return number


@task(cache_policy=FLOW_PARAMETERS + RUN_ID)
def by_parameters(number):
    ran.append("parameters")
    return number


@task(cache_policy=NONE)
def by_nothing(number):
    ran.append("nothing")
    return number


@flow(name="r26-others")
def r26_others(x: int = 1):
    ran.clear()
    for one in (by_default, by_parameters, by_nothing):
        one(x), one(x)
    return list(ran)


@flow(name="r26-others-fails")
def r26_others_fails():
    return DEFAULT - 5


@task
def within():
    context = TaskRunContext.get()
    return context.task_run.name, context.task.name


@flow(name="r27-kinds")
def r27_kinds():
    return [FlowRunContext.get().flow_run.flow_name, TaskRunContext.get() is None, *within()]


@flow(name="r27-kinds-fails")
def r27_kinds_fails():
    return TaskRunContext.get().task_run


@flow(name="r35-fails")
def r35_fails():
    from schedulerd.transactions import transaction

    with transaction():
        pass


@flow(name="r03-fails")
def r03_fails():
    from threading import Thread

    seen = []
    outside = Thread(target=lambda: seen.append(get_run_logger().name))
    outside.start()
    outside.join()
    return seen


@flow(name="r06-fails")
def r06_fails():
    nightly = flow(name="made-within")(double.fn)
    nightly.serve(name="nightly", crom="0 3 * * *")


@flow(name="r06-when-fails")
def r06_when_fails():
    nightly = flow(name="made-within")(double.fn)
    nightly.serve(name="nightly", cron="61 3 * * *")


@flow(name="r07-fails")
def r07_fails():
    nightly = flow(name="made-within")(double.fn)
    nightly.deploy(name="nightly", work_pool_name="pool", interval=0)


@flow(name="r07-source-fails")
def r07_source_fails():
    flow.from_source("https://example.org/flows.git", entrypoint="etl.py:etl")
