"""Parameters, where Prefect 1 has them: `from schedulerd.core.parameter import DateTimeParameter`."""

from schedulerd.authoring.nodes import DateTimeParameter, Parameter

__all__ = ["DateTimeParameter", "Parameter"]
