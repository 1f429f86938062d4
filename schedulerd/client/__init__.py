"""Secrets, under Prefect 1's name: `from schedulerd.client import Secret`."""

from schedulerd.authoring.secrets import Secret

__all__ = ["Secret"]
