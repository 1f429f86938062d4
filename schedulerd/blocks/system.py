"""Secrets and plain values, under Prefect's names: `Secret.load("db-password").get()`, `JSON.load("limits").value`."""

from schedulerd.authoring.blocks import JSON, DateTime, String
from schedulerd.authoring.secrets import Secret

__all__ = ["JSON", "DateTime", "Secret", "String"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
