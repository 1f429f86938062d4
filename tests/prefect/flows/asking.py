"""What flows ask of the daemon, or of the project in plain Python, by the ranks of both lists."""

# mypy: ignore-errors
from datetime import UTC, datetime

import schedulerd
from schedulerd import Flow, Parameter, flow, pause_flow_run, resume_flow_run, suspend_flow_run, task
from schedulerd.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from schedulerd.backend import delete_key, get_key_value, list_keys, set_key_value
from schedulerd.backend.artifacts import create_link, create_markdown_artifact
from schedulerd.blocks.system import JSON, DateTime, Secret, String
from schedulerd.concurrency.asyncio import concurrency as concurrency_async
from schedulerd.concurrency.sync import concurrency, rate_limit
from schedulerd.deployments import run_deployment
from schedulerd.engine.signals import PAUSE
from schedulerd.events import emit_event
from schedulerd.tasks.prefect import (
    StartFlowRun,
    create_flow_run,
    get_task_run_result,
    wait_for_flow_run,
)
from schedulerd.triggers import manual_only

# -- 9: secrets ---------------------------------------------------------------------------------------------------


@flow(name="r09")
def r09():
    Secret(value="of-the-test").save("kept", overwrite=True)
    return Secret.load("kept").get() == "of-the-test", str(Secret.load("kept"))


@flow(name="r09-async")
async def r09_async():
    await Secret(value="of-the-test").save("kept-async", overwrite=True)
    return len((await Secret.load("kept-async")).get())


@flow(name="r09-fails")
def r09_fails():
    Secret.load("nowhere")


@flow(name="r09-taken")
def r09_taken():
    Secret(value="first-value").save("taken", overwrite=True)
    Secret(value="second-value").save("taken")


# -- 10: artifacts ------------------------------------------------------------------------------------------------


@flow(name="r10-others")
def r10_others():
    progress = create_progress_artifact(10.0, key="progress")
    made = [
        create_table_artifact(table=[{"rows": 3}], key="rows"),
        create_table_artifact(table={"rows": [3]}),
        create_link_artifact("https://example.org", link_text="there", key="link"),
        create_image_artifact("https://example.org/a.png"),
        progress,
    ]
    return len(set(made)), update_progress_artifact(progress, 100) == progress


@flow(name="r10-table-fails")
def r10_table_fails():
    create_table_artifact(table=5)


@flow(name="r10-link-fails")
def r10_link_fails():
    create_link_artifact(5)


@flow(name="r10-progress-fails")
def r10_progress_fails():
    create_progress_artifact(101)


@flow(name="r10-image-fails")
def r10_image_fails():
    create_image_artifact("https://example.org/a.png", key="No Key")


# -- 13: runs of other flows --------------------------------------------------------------------------------------


@flow(name="asked-for")
def asked_for(number: int = 1, fails: bool = False):
    if fails:
        raise LookupError(f"no {number}")
    return number * 2


@flow(name="r13")
def r13():
    run = run_deployment("asked-for/usual", parameters={"number": 4}, poll_interval=1)
    asked = run_deployment("asked-for", timeout=0)
    return run.state.is_completed(), run.flow_name, run.result_preview, asked.parameters


@flow(name="r13-async")
async def r13_async():
    return (await run_deployment("asked-for")).state.is_completed()


@flow(name="r13-child-fails")
def r13_child_fails():
    run = run_deployment("asked-for", parameters={"fails": True})
    return run.state.is_failed(), run.message


@flow(name="r13-fails")
def r13_fails():
    run_deployment("nobody-has-this/one")


@flow(name="r13-parameters-fails")
def r13_parameters_fails():
    run_deployment("asked-for", parameters={"letter": "a"})


# -- 30: blocks of plain values -----------------------------------------------------------------------------------


@flow(name="r30")
def r30():
    JSON(value={"rows": 3}).save("a-json", overwrite=True)
    String(value="text").save("a-string", overwrite=True)
    DateTime(value=datetime(2026, 11, 27, tzinfo=UTC)).save("a-moment", overwrite=True)
    return JSON.load("a-json").value, String.load("a-string").value, DateTime.load("a-moment").value.day


@flow(name="r30-async")
async def r30_async():
    await String(value="text").save("an-async-string", overwrite=True)
    return (await String.load("an-async-string")).value


@flow(name="r30-fails")
def r30_fails():
    return JSON.load("nothing-of-this-name")


@flow(name="r30-string-fails")
def r30_string_fails():
    JSON(value=[1, 2]).save("no-string", overwrite=True)
    return String.load("no-string")


@flow(name="r30-moment-fails")
def r30_moment_fails():
    String(value="yesterday").save("no-moment", overwrite=True)
    return DateTime.load("no-moment")


@flow(name="r30-taken")
def r30_taken():
    String(value="first").save("taken-string", overwrite=True)
    String(value="second").save("taken-string")


# -- 31: slots ----------------------------------------------------------------------------------------------------


@flow(name="r31")
def r31():
    with concurrency("r31-slots", occupy=1, timeout_seconds=30):
        return "held"


@flow(name="r31-rate")
def r31_rate():
    rate_limit("r31-rates", occupy=1)
    return "went on"


@flow(name="r31-async")
async def r31_async():
    async with concurrency_async(["r31-slots"], occupy=1):
        return "held"


@flow(name="r31-fails")
def r31_fails():
    with concurrency("nobody-set-this", strict=True):
        return "held"


@flow(name="r31-rate-fails")
def r31_rate_fails():
    rate_limit("nobody-set-this", strict=True)


@flow(name="r31-async-fails")
async def r31_async_fails():
    async with concurrency_async("nobody-set-this", strict=True):
        return "held"


# -- 32: events ---------------------------------------------------------------------------------------------------


@flow(name="r32-fails")
def r32_fails():
    emit_event("etl.done", resource={"rows": 3})


# -- 34: decisions ------------------------------------------------------------------------------------------------


@flow(name="r34-pause")
def r34_pause():
    pause_flow_run(key="release", message="release it?")
    return "released"


@flow(name="r34-suspend")
def r34_suspend():
    suspend_flow_run(key="release", message="release it?")
    return "released"


@flow(name="r34-late")
def r34_late():
    pause_flow_run(timeout=0.2)


@flow(name="r34-suspend-late")
def r34_suspend_late():
    suspend_flow_run(timeout=0.2)


@flow(name="r34-resume")
def r34_resume(run: str = ""):
    resume_flow_run(run)
    return "resumed"


# -- Prefect 1, 17 and 19: decisions --------------------------------------------------------------------------------


@task
def pauses():
    if not schedulerd.context.get("resume", False):
        raise PAUSE("release it?")
    return "released"


with Flow("g17-pause") as g17_pause:
    pauses()

with Flow("g19-manual") as g19_manual:
    task(lambda: "released", name="by hand", trigger=manual_only)()


# -- Prefect 1, 22: flows of flows ----------------------------------------------------------------------------------


@task
def ended(run):
    return run.state_name, run.result_preview


with Flow("g22") as g22:
    asked = create_flow_run(flow_name="asked-for", project_name="p", parameters={"number": 5})
    ended(wait_for_flow_run(asked, raise_final_state=True))

with Flow("g22-starts") as g22_starts:
    StartFlowRun("asked-for", wait=True, parameters={"number": 6})()


@task
def twice(number):
    return number * 2


@task
def as_a_set(number):
    return {number, "b" * 70_000}  # no JSON, and too much for a line of the journal


@task
def breaks():
    raise LookupError("nothing")


with Flow("asked-for-tasks") as asked_for_tasks:
    numbers = twice.map([1, 2, 3])
    twice(5, task_args={"name": "again"})
    as_a_set(Parameter("number", default=7))
    breaks()

with Flow("g22-result") as g22_result:
    of_tasks = create_flow_run(flow_name="asked-for-tasks")
    task(lambda *given: [min(map(str, one)) if isinstance(one, set) else one for one in given], name="all")(
        get_task_run_result(of_tasks, "again"),
        get_task_run_result(of_tasks, "twice"),
        get_task_run_result(of_tasks, "twice", map_index=1),
        get_task_run_result(of_tasks, "as_a_set-1"),
    )

with Flow("g22-result-fails") as g22_result_fails:
    get_task_run_result(create_flow_run(flow_name="asked-for-tasks"), "breaks")

with Flow("g22-result-name-fails") as g22_result_name_fails:
    get_task_run_result(create_flow_run(flow_name="asked-for-tasks"), "twicee")

with Flow("g22-result-of-another-fails") as g22_result_of_another_fails:
    get_task_run_result(Parameter("run", default="00000000-0000-7000-8000-000000000000"), "twice")

with Flow("g22-create-fails") as g22_create_fails:
    create_flow_run(flow_name="nobody-has-this")

with Flow("g22-wait-fails") as g22_wait_fails:
    wait_for_flow_run(
        create_flow_run(flow_name="asked-for", parameters={"fails": True}), raise_final_state=True
    )

with Flow("g22-start-fails") as g22_start_fails:
    StartFlowRun(wait=True)(flow_name="asked-for", parameters={"fails": True})


# -- Prefect 1, 27: the key-value store and artifacts ---------------------------------------------------------------


@task
def keeps(value):
    set_key_value("a-key", value)
    kept = get_key_value(key="a-key"), "a-key" in list_keys()
    return [
        *kept,
        delete_key("a-key"),
        len(create_markdown_artifact("# done")),
        len(create_link("https://x")),
    ]


with Flow("g27") as g27:
    keeps(Parameter("value", default={"rows": 1}))

with Flow("g27-get-fails") as g27_get_fails:
    task(lambda: get_key_value("nothing-of-this-name"), name="asks")()

with Flow("g27-set-fails") as g27_set_fails:
    task(lambda: set_key_value("no key", 1), name="sets")()

with Flow("g27-artifact-fails") as g27_artifact_fails:
    task(lambda: create_markdown_artifact(5), name="shows")()
