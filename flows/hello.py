"""The function style: a flow is a plain function, runs as it goes, and carries its schedule with it.

python flows/hello.py            runs it here and now
schedulerd run hello -p name=you runs it under the daemon
"""

from datetime import date

from schedulerd import flow, get_run_logger, task
from schedulerd.schedules import Cron


@task(retries=2, retry_delay_seconds=[1, 10])
def greeting(name: str, day: date | None) -> str:
    return f"Hello, {name}!" if day is None else f"Hello, {name}, on {day:%A}!"


@flow(schedule=Cron("0 6 * * *", timezone="Asia/Seoul"))
def hello(name: str = "world", day: date | None = None) -> str:
    """Greet somebody every morning."""
    text = greeting(name, day)
    get_run_logger().info("greeting %s", name)
    print(text)
    return text


if __name__ == "__main__":
    hello()
