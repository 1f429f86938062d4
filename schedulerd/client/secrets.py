"""`Secret`, where Prefect 1 has it too."""

from schedulerd.authoring.secrets import PrefectOneSecret as Secret

__all__ = ["Secret"]
