"""What belongs to flows, under Prefect's names: `from schedulerd.flows import flow`."""

from schedulerd.authoring.functions import FunctionFlow, flow

__all__ = ["FunctionFlow", "flow"]
