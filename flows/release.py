"""An approval: a run that waits for somebody before it does what cannot be undone.

    schedulerd run release -p version=1.2 --follow
    schedulerd runs approve @last:release --reason "tests are green"
    schedulerd runs approve @last:release --reject --reason "not on a Friday"

In a terminal `python flows/release.py` asks you instead.
"""

from schedulerd import flow, pause_flow_run, task
from schedulerd.artifacts import create_table_artifact
from schedulerd.schedules import Cron


@task
def changes(version):
    return [{"version": version, "change": "a mended pump"}, {"version": version, "change": "a new valve"}]


@task
def publish(version):
    print(f"version {version} is out")
    return version


@flow(schedule=Cron("0 10 * * 1", timezone="Asia/Seoul"), log_prints=True)
def release(version: str = "next"):
    # What whoever decides should see: `schedulerd runs artifacts @last:release`.
    create_table_artifact(changes(version), key="changes", description="what would go out")
    # Until then the run is `paused` and takes no place. It fails when nobody decides within a day, or somebody rejects it.
    pause_flow_run(timeout=24 * 60 * 60, key="publish", message=f"publish version {version}?")
    return publish(version)


if __name__ == "__main__":
    release()
