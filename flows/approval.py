"""An approval: the run prepares, waits until somebody says yes, and goes on.

    schedulerd run approval                            it becomes `paused`, and says what it waits for
    schedulerd runs approve approval#1 --reason ok     or --reject; then it goes on, or fails
    python flows/approval.py                           here and now: the terminal is asked

A run that waits takes no place: others run meanwhile, and it waits over restarts of the daemon too.
"""

from schedulerd import flow, get_run_logger, pause_flow_run, task
from schedulerd.schedules import Cron


@task
def plan(servers: int) -> list[str]:
    return [f"server-{number}" for number in range(1, servers + 1)]


@task
def restart(server: str) -> str:
    return f"{server} restarted"


# Asked for on weekdays at nine, when somebody is there to answer; after two hours nobody is waited for any longer.
@flow(schedule=Cron("0 9 * * 1-5"))
def approval(servers: int = 3) -> list[str]:
    """Restart servers, once somebody has agreed to it."""
    planned = plan(servers)
    pause_flow_run(key="restart", timeout=7_200, message=f"restart {', '.join(planned)}?")
    get_run_logger().info("approved: restarting %d server(s)", len(planned))
    return restart.map(planned).result()


if __name__ == "__main__":
    print(approval())
