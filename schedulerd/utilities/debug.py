"""`with raise_on_exception(): flow.run()`, under Prefect 1's name."""

from schedulerd.authoring.debugging import raise_on_exception

__all__ = ["raise_on_exception"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
