"""`case`, where Prefect 1 has it."""

from schedulerd.authoring.control_flow import case

__all__ = ["case"]
