"""Futures of submitted tasks, under Prefect's names: `from schedulerd.futures import wait, as_completed`."""

from schedulerd.authoring.futures import Future, FutureList, as_completed, wait

PrefectFuture = Future
PrefectFutureList = FutureList

__all__ = ["Future", "FutureList", "PrefectFuture", "PrefectFutureList", "as_completed", "wait"]
