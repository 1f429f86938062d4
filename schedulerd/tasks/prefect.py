"""Tasks that ask for runs of other flows, under Prefect 1's names: `create_flow_run(flow_name="load")`."""

from schedulerd.authoring.flow_run_tasks import StartFlowRun, create_flow_run, wait_for_flow_run

__all__ = ["StartFlowRun", "create_flow_run", "wait_for_flow_run"]
