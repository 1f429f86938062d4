"""What code within a run can ask about it, under Prefect's names: `from schedulerd.context import get_run_context`."""

from schedulerd.authoring.run_contexts import FlowRunContext, TaskRunContext, get_run_context
from schedulerd.authoring.tagging import tags

__all__ = ["FlowRunContext", "TaskRunContext", "get_run_context", "tags"]
