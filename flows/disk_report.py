"""A shell job within a graph: a command gives lines, a task reads them, another decides.

    python flows/disk_report.py
    schedulerd run disk-report -p limit=50 --follow

For a command alone no Python is needed: `command = "df -h"` in a schedule file makes it a recorded run.
"""

from schedulerd import Flow, Parameter, case, task
from schedulerd.schedules import CronSchedule
from schedulerd.tasks.shell import ShellTask

# A status other than 0 fails the task. What a command is told belongs into `env`, never into its text: a path with a
# quote in it would else become a part of the script.
df = ShellTask(name="df", command='df -P -- "$FOLDER"', return_all=True, log_stderr=True)


@task
def surroundings(folder):
    return {"FOLDER": folder}


@task
def percent_used(lines):
    return int(lines[-1].split()[4].rstrip("%"))


@task
def is_above(percent, limit):
    return percent >= limit


@task(log_stdout=True)
def warn(percent, folder):
    print(f"the disk of {folder} is {percent} % full")
    return "warned"


with Flow("disk-report", schedule=CronSchedule("0 7 * * *")) as flow:
    folder = Parameter("folder", default="/")
    limit = Parameter("limit", default=90)
    percent = percent_used(df(env=surroundings(folder)))
    with case(is_above(percent, limit), True):  # else what stands in here is skipped
        warn(percent, folder)

if __name__ == "__main__":
    flow.run(run_on_schedule=False)  # once, now; `flow.run()` would wait for seven o'clock
