"""Tasks on a Dask cluster: one that there is, or one that is made for the flow run."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from schedulerd.authoring import dask_tasks
from schedulerd.authoring.dask_tasks import CANCELLED, ERROR, TIMED_OUT, call_there
from schedulerd.authoring.outcomes import Cancelled
from schedulerd.authoring.parcels import Shared, packed_whole, unpacked
from schedulerd.authoring.redacting import given
from schedulerd.authoring.relays import Relay
from schedulerd.authoring.runners import TaskRunner, ThreadPoolTaskRunner
from schedulerd.authoring.sent_runs import told
from schedulerd.authoring.task_values import TaskTimedOut
from schedulerd.authoring.workers import ProcessDied, TracebackElsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.runners import Job
    from schedulerd.authoring.task_runs import TaskRun

_MOST_CALLS: Final = 256  # that wait for the cluster at a time, each in a thread
_PATIENCE_SECONDS: Final = 0.5
_LAST_RECORDS_SECONDS: Final = 10.0


class DaskTaskRunner(TaskRunner):
    """The workers of a Dask cluster: that at `address`, else one of `cluster_class`, a `LocalCluster` by default.

    The flow's process attempts and records the tasks; Dask has each called once (`retries=0`) on a worker. Functions of
    the flow file go along; modules that it imports must be there. It needs `distributed`: the extra `dask`.
    """

    def __init__(
        self,
        address: str | None = None,
        cluster_class: Any = None,
        cluster_kwargs: Mapping[str, Any] | None = None,
        adapt_kwargs: Mapping[str, Any] | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if address is not None and (cluster_class is not None or cluster_kwargs):
            raise ValueError("give the address of a cluster, or what it is to be made of, not both")
        if not _is_installed():
            raise ImportError(
                "tasks on a Dask cluster need distributed, which is not installed: pip install 'schedulerd[dask]'"
            )
        self.address = address
        self.cluster_class = cluster_class
        self.cluster_kwargs = dict(cluster_kwargs or {})
        self.adapt_kwargs = dict(adapt_kwargs or {})
        self.client_kwargs = dict(client_kwargs or {})
        self._threads = ThreadPoolTaskRunner(_MOST_CALLS)
        self._cluster: Any = None
        self._client: Any = None
        self._context: FlowContext | None = None
        self._token = f"schedulerd-{uuid4()}"
        self._relays: dict[str, Relay] = {}

    def __repr__(self) -> str:
        where = f"address={self.address!r}" if self.address else f"cluster_kwargs={self.cluster_kwargs!r}"
        return f"{type(self).__name__}({where})"

    def start(self) -> Self:
        """A connection, or a cluster, of its own for one flow run."""
        return type(self)(
            self.address, self.cluster_class, self.cluster_kwargs, self.adapt_kwargs, self.client_kwargs
        )

    def begin(self, context: FlowContext) -> None:
        """Connect to the cluster, which is made where no address was given."""
        import distributed

        make_client: Any = distributed.Client

        where: Any = self.address
        if where is None:
            cluster = self.cluster_class or distributed.LocalCluster
            wanted = {"dashboard_address": None} if cluster is distributed.LocalCluster else {}
            where = self._cluster = cluster(**(wanted | self.cluster_kwargs))
            if self.adapt_kwargs:
                where.adapt(**self.adapt_kwargs)
        self._client = make_client(where, **({"set_as_default": False} | self.client_kwargs))
        self._client.subscribe_topic(self._token, self._hear)
        self._context = context
        dask_tasks.here[self._token] = context
        self.elsewhere = self._call

    def run(self, job: Job) -> None:
        """Have a thread run it, which waits for the cluster."""
        self._threads.run(job)

    def end(self) -> None:
        """Let go of the cluster, and end it where it was made for this run; what goes on there is cancelled."""
        self._threads.end()
        dask_tasks.here.pop(self._token, None)
        client, cluster = self._client, self._cluster
        self._client = self._cluster = None
        if client is not None:
            client.close()
        if cluster is not None:
            cluster.close()

    # -- one call -----------------------------------------------------------------------------------------------

    def _call(self, run: TaskRun) -> Any:
        assert self._context is not None
        call, client = str(uuid4()), self._client
        if client is None:
            raise Cancelled
        content = packed_whole(_told(run, self._context), what=f"the call of task {run.task.name!r}")
        relay = self._relays[call] = Relay(self._context)
        future = client.submit(
            call_there, content, self._token, call, key=f"{run.task.name}-{call}", pure=False, retries=0
        )
        try:
            answer = self._answer(future, run)
        except BaseException:
            future.cancel(force=True)
            raise
        finally:
            future.release()
        kind, made, count, secrets = unpacked(answer, Shared(()))
        given.add_forms(secrets)
        relay.wait(count, seconds=_LAST_RECORDS_SECONDS)
        del self._relays[call]
        return _understood(kind, made, run)

    def _answer(self, future: Any, run: TaskRun) -> bytes:
        from distributed import TimeoutError as OutOfTime
        from distributed.scheduler import KilledWorker

        limit = run.task.timeout_seconds
        until = None if limit is None else monotonic() + limit + _PATIENCE_SECONDS
        while True:
            left = 1.0 if until is None else min(1.0, until - monotonic())
            try:
                answer: bytes = future.result(timeout=max(left, 0.01))
                return answer
            except OutOfTime:
                if until is not None and monotonic() >= until and future.status != "finished":
                    raise TaskTimedOut(run.task) from None
                if self._client is None:
                    raise Cancelled from None
            except KilledWorker as error:
                raise ProcessDied(f"the worker of task {run.task.name!r} went away: {error}") from None

    def _hear(self, event: Any) -> None:
        _, said = event
        relay = self._relays.get(said["call"])
        if relay is not None:
            relay.hear(said["record"])


def _is_installed() -> bool:
    if "distributed" in sys.modules:
        return sys.modules["distributed"] is not None
    return find_spec("distributed") is not None


def _understood(kind: str, made: Any, run: TaskRun) -> Any:
    if kind == TIMED_OUT:
        raise TaskTimedOut(run.task)
    if kind == CANCELLED:
        raise Cancelled
    if kind != ERROR:
        return made
    error, failure = made
    run.told = (error, failure)
    error.__cause__ = TracebackElsewhere(failure)
    raise error


def _told(run: TaskRun, context: FlowContext) -> dict[str, Any]:
    """What a worker must know of the task run and of its flow run."""
    _send_along(run)
    said = {
        name: getattr(context, name)
        for name in ("name", "facts", "tags", "log_prints", "started_at", "within")
    }
    return said | {
        "run": told(run),
        "parameters": dict(context.parameters),
        "is_by_daemon": context.facts.is_by_daemon,
        "secrets": given.forms,
    }


def _send_along(run: TaskRun) -> None:
    """Functions and classes of a flow file go along with the call: no worker could import them."""
    from cloudpickle import list_registry_pickle_by_value, register_pickle_by_value

    module = sys.modules.get(run.task.fn.__module__)
    if module is None or module.__name__ == "__main__" or module.__spec__ is not None:
        return
    if module.__name__ not in list_registry_pickle_by_value():
        register_pickle_by_value(module)
