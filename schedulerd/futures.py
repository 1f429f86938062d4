"""Futures of submitted tasks, under Prefect's names: `from schedulerd.futures import wait, as_completed`."""

from schedulerd.authoring.futures import Future, FutureList, as_completed, wait

PrefectFuture = Future
PrefectFutureList = FutureList

__all__ = ["Future", "FutureList", "PrefectFuture", "PrefectFutureList", "as_completed", "wait"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
