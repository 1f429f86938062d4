"""Flows with faults in them. What a person reads of each has to name the task, and the line with `# FLOW` behind it."""

# mypy: ignore-errors
import asyncio

from schedulerd import Flow, flow, task
from schedulerd.engine.results import LocalResult
from schedulerd.task_runners import ProcessPoolTaskRunner


@task
def needs(one, two):
    return one, two


@flow(name="wrong-argument")
def wrong_argument():
    return needs(1)  # wrong-argument


@flow(name="counts")
def counts(number: int):
    return number


@flow(name="wrong-kind")
def wrong_kind():
    return counts("many")  # wrong-kind


@task
def divide(left, right):
    return left / right  # nested mapped mapped-graph


@flow(name="inner")
def inner(number):
    return divide(number, 0)


@flow(name="nested")
def nested():
    return inner(3)


@flow(name="mapped")
def mapped():
    return divide.map([1, 2], [1, 0]).result()


with Flow("mapped-graph") as mapped_graph:
    divide.map([1, 2], [1, 0])


@task
async def awaits(key):
    await asyncio.sleep(0)
    return {"a": 1}[key]  # in-async-code


@flow(name="in-async-code")
async def in_async_code():
    return await awaits("b")


@task
def elsewhere():
    raise LookupError("not there")  # in-a-process


@flow(name="in-a-process", task_runner=ProcessPoolTaskRunner(max_workers=1))
def in_a_process():
    return elsewhere.submit().result()


class NotKept:
    """Cannot be pickled."""

    def __reduce__(self):
        raise TypeError("it holds a socket")  # in-a-serializer


@task(result=LocalResult(dir="/tmp"), target="schedulerd-test-never-written")
def gives():
    return NotKept()


with Flow("in-a-serializer") as in_a_serializer:
    gives()


@task
def chained():
    try:
        return {}["rows"]
    except KeyError as error:
        raise ValueError("no rows") from error  # with-a-cause


@flow(name="with-a-cause")
def with_a_cause():
    chained()


@task(timeout_seconds=0.1)
def slow():
    while True:
        pass


@flow(name="too-late")
def too_late():
    slow()  # too-late


def breaks(flow, run, state):
    """A hook with a fault in it."""
    raise RuntimeError("the hook is broken")  # in-a-hook


@task(on_completion=[breaks])
def hooked():
    return 1


@flow(name="in-a-hook")
def in_a_hook():
    return hooked()
