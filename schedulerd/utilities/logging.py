"""Loggers, under Prefect 1's name: `get_logger("etl")`."""

from schedulerd.authoring.logs import get_logger

__all__ = ["get_logger"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
