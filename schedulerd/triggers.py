"""When a task of a graph runs, under Prefect 1's names: `@task(trigger=schedulerd.triggers.all_finished)`."""

from schedulerd.authoring.triggers import (
    all_failed,
    all_finished,
    all_successful,
    always_run,
    any_failed,
    any_successful,
    manual_only,
    not_all_skipped,
    some_failed,
    some_successful,
)

__all__ = [
    "all_failed",
    "all_finished",
    "all_successful",
    "always_run",
    "any_failed",
    "any_successful",
    "manual_only",
    "not_all_skipped",
    "some_failed",
    "some_successful",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
