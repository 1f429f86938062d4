"""The names of Prefect 2 and 3 (the function style), by how many people use them."""

from schedulerd.authoring.prefect_names import absent, differs, later, same

_FILE = "a flow is found by its file: put that into a watched folder, and say when it runs: @flow(schedule=Cron(...))"
_POOLS = (
    "runs run where the daemon does; what they need around them is said by @flow(memory=..., environment=...)"
)
_BLOCKS = (
    "there are no blocks: keep settings in the environment (`environment`, `env_file`), secrets among secrets"
)
_ASK = "it comes with what runs ask the daemon for"

NAMES = (
    differs(1, "prefect.flow", "knows `schedule`, and what a run has around it; result storage is a setting"),
    differs(
        2,
        "prefect.task",
        "`result_storage` and the like are a setting; `viz_return_value`, `asset_deps` are not known",
    ),
    differs(3, "prefect.get_run_logger", "outside a run it gives a plain logger and raises nothing"),
    same(3, "prefect.logging.get_run_logger", ours="schedulerd.get_run_logger"),
    same(4, "prefect.Task.submit"),
    same(5, "prefect.futures.PrefectFuture"),
    differs(
        6,
        "prefect.flows.Flow.serve",
        "adds the schedules and returns: the daemon serves",
        ours="schedulerd.flows.FunctionFlow.serve",
    ),
    differs(
        7,
        "prefect.flows.Flow.deploy",
        "adds the schedules and returns; image, build and push mean nothing",
        ours="schedulerd.flows.FunctionFlow.deploy",
    ),
    absent(
        7,
        "prefect.flows.Flow.from_source",
        "a run has the version of the code that was in force when it began: " + _FILE,
    ),
    same(8, "prefect.tasks.task_input_hash"),
    later(9, "prefect.blocks.system.Secret", "until then: `schedulerd.client.Secret`, or the environment"),
    later(
        10,
        "prefect.artifacts.create_markdown_artifact",
        "until then: log it, or return it, which is shown with the run",
    ),
    later(
        10,
        "prefect.artifacts.create_table_artifact",
        "until then: log it, or return it, which is shown with the run",
    ),
    later(
        10,
        "prefect.artifacts.create_link_artifact",
        "until then: log it, or return it, which is shown with the run",
    ),
    same(11, "prefect.Task.map"),
    same(11, "prefect.unmapped"),
    absent(12, "prefect.deployments.Deployment", _FILE),
    later(
        13,
        "prefect.deployments.run_deployment",
        "until then: call the flow, which is a subflow, or `schedulerd run`",
    ),
    absent(14, "prefect.get_client", "ask the command line (`-o json`), or the API"),
    absent(14, "prefect.client.orchestration.get_client", "ask the command line (`-o json`), or the API"),
    absent(15, "prefect.serve", _FILE),
    absent(15, "prefect.flows.Flow.to_deployment", _FILE),
    absent(16, "prefect.blocks.core.Block", _BLOCKS),
    same(17, "prefect.Task.with_options"),
    same(17, "prefect.flows.Flow.with_options", ours="schedulerd.flows.FunctionFlow.with_options"),
    same(18, "prefect.Task.fn", "an attribute of the task", ours="schedulerd.task"),
    same(18, "prefect.Flow.fn", "an attribute of the flow", ours="schedulerd.flow"),
    later(19, "prefect.variables.Variable", _ASK + "; until then: parameters, or the environment"),
    same(20, "prefect.runtime.flow_run"),
    same(20, "prefect.runtime.task_run"),
    differs(20, "prefect.runtime.deployment", "is the schedule that made the run"),
    same(21, "prefect.task_runners.ThreadPoolTaskRunner"),
    same(21, "prefect.task_runners.ConcurrentTaskRunner"),
    same(21, "prefect.task_runners.SequentialTaskRunner"),
    same(21, "prefect.task_runners.ProcessPoolTaskRunner"),
    same(22, "prefect.tags"),
    *(
        same(23, f"prefect.states.{one}")
        for one in ("State", "Completed", "Failed", "Cancelled", "Crashed", "Running", "Pending", "Scheduled")
    ),
    same(24, "prefect.schedules.Cron"),
    same(24, "prefect.schedules.Interval"),
    same(24, "prefect.schedules.RRule"),
    same(24, "prefect.client.schemas.schedules.CronSchedule", ours="schedulerd.schedules.CronSchedule"),
    same(
        24, "prefect.client.schemas.schedules.IntervalSchedule", ours="schedulerd.schedules.IntervalSchedule"
    ),
    same(24, "prefect.client.schemas.schedules.RRuleSchedule", ours="schedulerd.schedules.RRuleSchedule"),
    same(25, "prefect.allow_failure"),
    *(
        same(26, f"prefect.cache_policies.{one}")
        for one in ("DEFAULT", "FLOW_PARAMETERS", "INPUTS", "NO_CACHE", "NONE", "RUN_ID", "TASK_SOURCE")
    ),
    same(27, "prefect.context.get_run_context"),
    same(27, "prefect.context.FlowRunContext"),
    same(27, "prefect.context.TaskRunContext"),
    absent(
        28,
        "prefect.filesystems.LocalFileSystem",
        "read and write with Python; where results lie is a setting",
    ),
    absent(28, "prefect.infrastructure.Process", _POOLS),
    absent(28, "prefect.docker.DockerImage", _POOLS),
    absent(
        28,
        "prefect.runner.storage.GitRepository",
        "check it out into a watched folder; a `git pull` is a new version",
    ),
    absent(
        29,
        "prefect.blocks.notifications.SlackWebhook",
        "the daemon tells of runs (`[[notify]]`), of crashes too",
    ),
    *(
        differs(30, f"prefect.blocks.system.{one}", "is a variable of this name, which has to be of the kind")
        for one in ("JSON", "String", "DateTime")
    ),
    later(
        31, "prefect.concurrency.sync.concurrency", _ASK + "; until then: a pool (`[pools]`, @flow(pool=...))"
    ),
    later(
        31, "prefect.concurrency.sync.rate_limit", _ASK + "; until then: a pool (`[pools]`, @flow(pool=...))"
    ),
    later(
        31,
        "prefect.concurrency.asyncio.concurrency",
        _ASK + "; until then: a pool (`[pools]`, @flow(pool=...))",
    ),
    later(32, "prefect.events.emit_event", _ASK + "; until then: log it"),
    differs(
        33,
        "prefect.testing.utilities.prefect_test_harness",
        "gives the history of the flows that ran in the block",
    ),
    later(34, "prefect.pause_flow_run", _ASK),
    later(34, "prefect.suspend_flow_run", _ASK),
    later(34, "prefect.resume_flow_run", _ASK),
    absent(
        35,
        "prefect.transactions.transaction",
        "write what is to be undone into the flow, in `except`, or a hook: on_failure",
    ),
    same(36, "prefect.futures.wait"),
    same(36, "prefect.futures.as_completed"),
    same(37, "prefect.tasks.exponential_backoff"),
    differs(
        38,
        "prefect.serializers.JSONSerializer",
        "for results by name (`target=`)",
        ours="schedulerd.engine.serializers.JSONSerializer",
    ),
    differs(
        38,
        "prefect.serializers.PickleSerializer",
        "for results by name (`target=`)",
        ours="schedulerd.engine.serializers.PickleSerializer",
    ),
)
