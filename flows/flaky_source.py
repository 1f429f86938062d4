"""Retries against a source that is down now and then.

    python flows/flaky_source.py
    schedulerd run flaky-source -p outages=5 --follow    down for too long: the run fails, and says why

A task is tried again in its place, and what completed before it does not run again. What is worth another attempt, and
after how long, is the task's to say; the flow does not know of it.
"""

from schedulerd import flow, get_run_logger, runtime, task
from schedulerd.schedules import Interval
from schedulerd.tasks import exponential_backoff


class Refused(Exception):
    """The source answered that it will not: to ask again is of no use."""


def answer(city: str, outages: int) -> dict[str, object]:
    """A stand-in for a request over the network: it fails `outages` times, then answers."""
    attempt = runtime.task_run.run_count
    if city == "atlantis":
        raise Refused(f"404: there is no {city}")
    if attempt <= outages:
        raise ConnectionError(f"503: unavailable (attempt {attempt})")
    return {"city": city, "degrees": 21.5, "attempt": attempt}


def is_worth_another_attempt(task, task_run, state) -> bool:
    """Not where the source has said no."""
    return not isinstance(state.result(raise_on_failure=False), Refused)


@task(
    retries=3,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.5),  # 0.5, 1 and 2 seconds
    retry_jitter_factor=0.5,  # a little more each time, so that many runs do not come back all at once
    retry_condition_fn=is_worth_another_attempt,
    timeout_seconds=10,
)
def fetch(city: str, outages: int) -> dict[str, object]:
    return answer(city, outages)


@task
def store(weather: dict[str, object]) -> str:
    return f"{weather['city']}: {weather['degrees']} °C"


def tell(flow, flow_run, state) -> None:
    """A hook: called once, when the flow has come to its end and no attempt is left."""
    get_run_logger().error("nobody knows the weather: %s", state.message)


@flow(name="flaky-source", schedule=Interval("10m"), on_failure=[tell])
def flaky_source(city: str = "seoul", outages: int = 2) -> str:
    """Ask a source that answers at the third attempt."""
    return store(fetch(city, outages))


if __name__ == "__main__":
    print(flaky_source())
