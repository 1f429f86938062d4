"""Secrets, under Prefect 1's name: `from schedulerd.client import Secret`."""

from schedulerd.authoring.secrets import PrefectOneSecret as Secret

__all__ = ["Secret"]
