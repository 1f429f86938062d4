"""The names of Prefect 1 (the graph style), by how many people use them."""

from schedulerd.authoring.prefect_names import absent, differs, later, same

_WHERE = (
    "runs run where the daemon does; what they need around them: Flow(..., environment={...}, memory='2GB')"
)
_STORED = "a flow is stored as its file: put that into a watched folder"
_CLOUD = "call the service's own Python library within a task"

NAMES = (
    differs(
        1,
        "prefect.Flow",
        "`storage` and `run_config` are kept and mean nothing",
    ),
    same(2, "prefect.task"),
    differs(3, "prefect.Task.__call__", "outside of `with Flow` it runs the task, where Prefect 1 raises"),
    same(4, "prefect.Task.is_equal", "operators and indexing of tasks", ours="schedulerd.task"),
    same(5, "prefect.Flow.run"),
    same(6, "prefect.Parameter"),
    same(6, "prefect.core.parameter.DateTimeParameter"),
    same(7, "prefect.context"),
    same(8, "prefect.Task.map"),
    same(8, "prefect.unmapped"),
    same(8, "prefect.mapped"),
    same(8, "prefect.flatten"),
    absent(9, "prefect.run_configs.LocalRun", _WHERE),
    absent(9, "prefect.run_configs.UniversalRun", _WHERE),
    absent(9, "prefect.run_configs.DockerRun", _WHERE),
    absent(9, "prefect.run_configs.KubernetesRun", _WHERE),
    absent(10, "prefect.storage.Local", _STORED),
    absent(10, "prefect.storage.GitHub", _STORED + ", checked out there"),
    absent(10, "prefect.storage.Docker", _STORED),
    absent(10, "prefect.environments.LocalEnvironment", _WHERE),
    differs(11, "prefect.Flow.register", "does nothing but say so: the daemon finds a flow by its file"),
    same(12, "prefect.schedules.CronSchedule"),
    same(12, "prefect.schedules.IntervalSchedule"),
    same(12, "prefect.schedules.RRuleSchedule"),
    same(12, "prefect.schedules.Schedule"),
    *(
        same(12, f"prefect.schedules.clocks.{one}")
        for one in ("CronClock", "IntervalClock", "RRuleClock", "DatesClock")
    ),
    same(12, "prefect.schedules.filters.is_weekday"),
    absent(
        12, "prefect.schedules.adjustments.next_weekday", "name the times that are meant in the clock itself"
    ),
    absent(12, "prefect.schedules.adjustments.add", "name the times that are meant in the clock itself"),
    same(13, "prefect.executors.LocalExecutor"),
    same(13, "prefect.executors.LocalDaskExecutor"),
    same(13, "prefect.executors.DaskExecutor"),
    same(13, "prefect.engine.executors.LocalDaskExecutor"),
    same(14, "prefect.Task"),
    same(15, "prefect.case"),
    same(15, "prefect.tasks.control_flow.case"),
    same(15, "prefect.tasks.control_flow.merge"),
    same(15, "prefect.tasks.control_flow.switch"),
    same(15, "prefect.tasks.control_flow.ifelse"),
    same(15, "prefect.tasks.control_flow.FilterTask"),
    *(
        same(16, f"prefect.Flow.{one}")
        for one in (
            "add_task",
            "add_edge",
            "chain",
            "set_dependencies",
            "set_reference_tasks",
            "get_tasks",
            "update",
            "visualize",
        )
    ),
    *(
        same(17, f"prefect.engine.signals.{one}")
        for one in ("FAIL", "SKIP", "LOOP", "RETRY", "SUCCESS", "ENDRUN", "TRIGGERFAIL", "VALIDATIONFAIL")
    ),
    differs(
        17,
        "prefect.engine.signals.PAUSE",
        "as `manual_only`; the task is then attempted again, with `context.resume`",
    ),
    *(
        same(18, f"prefect.engine.state.{one}")
        for one in (
            "State",
            "Success",
            "Failed",
            "Skipped",
            "TriggerFailed",
            "Retrying",
            "Running",
            "Cached",
            "Mapped",
            "TimedOut",
            "Cancelled",
        )
    ),
    *(
        same(19, f"prefect.triggers.{one}")
        for one in (
            "all_successful",
            "all_failed",
            "all_finished",
            "always_run",
            "any_successful",
            "any_failed",
            "some_failed",
            "some_successful",
            "not_all_skipped",
        )
    ),
    differs(
        19,
        "prefect.triggers.manual_only",
        "the task waits for an approval of the run (`runs approve`), when all else is done; in plain Python its terminal asks",
    ),
    absent(20, "prefect.Client", "ask the command line (`-o json`), or the API"),
    absent(20, "prefect.client.Client", "ask the command line (`-o json`), or the API"),
    same(21, "prefect.tasks.secrets.PrefectSecret"),
    same(21, "prefect.tasks.secrets.EnvVarSecret"),
    same(21, "prefect.client.Secret"),
    same(21, "prefect.client.secrets.Secret"),
    later(
        22,
        "prefect.tasks.prefect.create_flow_run",
        'until then: a schedule `after = "flow"`, or `schedulerd run`',
    ),
    later(22, "prefect.tasks.prefect.wait_for_flow_run", 'until then: a schedule `after = "flow"`'),
    later(
        22,
        "prefect.tasks.prefect.StartFlowRun",
        'until then: a schedule `after = "flow"`, or `schedulerd run`',
    ),
    differs(
        22,
        "prefect.tasks.prefect.get_task_run_result",
        "of runs that this run created; a task is named by its name",
    ),
    same(23, "prefect.engine.results.LocalResult"),
    absent(
        23,
        "prefect.engine.results.S3Result",
        "results of runs are kept by the daemon; within a task: " + _CLOUD,
    ),
    absent(
        23,
        "prefect.engine.results.GCSResult",
        "results of runs are kept by the daemon; within a task: " + _CLOUD,
    ),
    absent(23, "prefect.engine.results.PrefectResult", "results of runs are kept by the daemon"),
    same(24, "prefect.tasks.shell.ShellTask"),
    absent(
        25,
        "prefect.utilities.notifications.slack_notifier",
        "the daemon tells of runs (`[[notify]]`), of crashes too",
    ),
    absent(25, "prefect.tasks.notifications.SlackTask", "post to the webhook within a task"),
    absent(
        25,
        "prefect.tasks.notifications.EmailTask",
        "smtplib within a task; `mail_to` for the output of a command",
    ),
    differs(26, "prefect.Task.state_handlers", "an option of tasks", ours="schedulerd.Task"),
    differs(
        26,
        "prefect.Flow.state_handlers",
        "options of flows, with on_failure; under the daemon those for the end are called after the run, and change nothing",
        ours="schedulerd.Flow",
    ),
    later(27, "prefect.backend.set_key_value", "until then: parameters, or a file"),
    later(27, "prefect.backend.get_key_value", "until then: parameters, or a file"),
    later(27, "prefect.backend.artifacts.create_markdown_artifact", "until then: log it"),
    same(28, "prefect.utilities.debug.raise_on_exception"),
    same(28, "prefect.utilities.logging.get_logger"),
    differs(
        28, "prefect.utilities.tasks.tags", "tags what begins to run in the block, not what is defined in it"
    ),
    same(28, "prefect.utilities.tasks.defaults_from_attrs"),
    differs(
        28,
        "prefect.config",
        "is the daemon's module; settings are in config/schedulerd.toml, and no flow reads them",
    ),
    absent(28, "prefect.utilities.configuration.set_temporary_config", "settings are not read by flows"),
    absent(28, "prefect.apply_map", "call `.map` of each task in turn"),
    absent(
        28,
        "prefect.resource_manager",
        "open and close within one task, or close in a task with trigger=all_finished",
    ),
    *(
        absent(29, f"prefect.tasks.{one}", _CLOUD)
        for one in (
            "aws",
            "gcp",
            "azure",
            "kubernetes",
            "docker",
            "dbt",
            "airbyte",
            "databricks",
            "postgres",
            "snowflake",
        )
    ),
)
