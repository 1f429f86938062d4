"""Secrets, under Prefect 1's name: `from schedulerd.client import Secret`."""

from schedulerd.authoring.secrets import PrefectOneSecret as Secret

__all__ = ["Secret"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
