"""Secrets, under Prefect's name: `Secret.load("db-password").get()`."""

from typing import NoReturn

from schedulerd.authoring.secrets import Secret

__all__ = ["Secret"]


def __getattr__(name: str) -> NoReturn:
    if name in ("JSON", "String", "DateTime"):
        raise ImportError(
            f"there is no block {name} here: such values are variables, schedulerd.variables.Variable"
        )
    raise AttributeError(f"schedulerd.blocks.system has no {name}; it has Secret")
