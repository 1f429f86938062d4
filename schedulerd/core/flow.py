"""Flows, where Prefect 1 has them: `from schedulerd.core.flow import Flow`."""

from schedulerd.authoring.graphs import Flow

__all__ = ["Flow"]
