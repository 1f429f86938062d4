"""`FilterTask`, where Prefect 1 has it."""

from schedulerd.authoring.control_flow import FilterTask

__all__ = ["FilterTask"]
