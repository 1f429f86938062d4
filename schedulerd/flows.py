"""What belongs to flows, under Prefect's names: `from schedulerd.flows import flow`."""

from schedulerd.authoring.functions import FunctionFlow, flow

__all__ = ["FunctionFlow", "flow"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
