"""Facts of the present run, as attributes: `runtime.flow_run.id`, `runtime.task_run.name`, `runtime.deployment.name`.

Outside a run each is None, or empty. For tests, `SCHEDULERD__RUNTIME__FLOW_RUN__NAME=x` in the environment makes one up.
"""

from schedulerd.authoring.run_facts import Deployment, FlowRun, TaskRun

flow_run = FlowRun()
task_run = TaskRun()
deployment = Deployment()

__all__ = ["deployment", "flow_run", "task_run"]
