"""Where results of tasks are kept by name, under Prefect 1's names: `from schedulerd.engine.results import LocalResult`."""

from schedulerd.authoring.kept_results import LocalResult

__all__ = ["LocalResult"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
