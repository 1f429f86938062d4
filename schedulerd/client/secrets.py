"""`Secret`, where Prefect 1 has it too."""

from schedulerd.authoring.secrets import Secret

__all__ = ["Secret"]
