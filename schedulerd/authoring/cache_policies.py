"""What the value of a task depends on: from that its cache key is made. The names are Prefect 3's.

`INPUTS + TASK_SOURCE` depends on both; `INPUTS - "verbose"` leaves an argument out.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from schedulerd.authoring.serializing import serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from schedulerd.authoring.running import TaskRun


class CachePolicy:
    """Makes the cache key of a task run."""

    def compute_key(
        self, run: TaskRun, inputs: Mapping[str, Any], flow_parameters: Mapping[str, Any]
    ) -> str | None:
        """The key of a task run with these arguments, or None where there is to be no cache.

        Raises `ValueError` when an argument cannot be hashed.
        """
        raise NotImplementedError

    def __add__(self, other: CachePolicy) -> CachePolicy:
        if not isinstance(other, CachePolicy):
            return NotImplemented
        if isinstance(self, NoCache) or isinstance(other, NoCache):
            return other if isinstance(self, NoCache) else self
        return Compound((self, other))

    def __sub__(self, name: str) -> CachePolicy:
        """The same, without the argument of this name."""
        if not isinstance(name, str):
            raise TypeError(f"an argument's name is left out of a cache policy, not {name!r}")
        return Without(self, name)


class NoCache(CachePolicy):
    """Never cached."""

    def compute_key(self, run: TaskRun, inputs: Any, flow_parameters: Any) -> str | None:
        """None."""
        return None


class Inputs(CachePolicy):
    """Depends on the arguments."""

    def compute_key(self, run: TaskRun, inputs: Mapping[str, Any], flow_parameters: Any) -> str | None:
        """A hash of the arguments."""
        return stable_hash(dict(sorted(inputs.items())))


class TaskSource(CachePolicy):
    """Depends on the task's own code."""

    def compute_key(self, run: TaskRun, inputs: Any, flow_parameters: Any) -> str | None:
        """A hash of the function's code."""
        return code_hash(run.task.fn)


class RunId(CachePolicy):
    """Depends on the flow run: what is cached holds within one."""

    def compute_key(self, run: TaskRun, inputs: Any, flow_parameters: Any) -> str | None:
        """The id of the flow run."""
        return run.context.facts.id


class FlowParameters(CachePolicy):
    """Depends on the flow's parameters."""

    def compute_key(self, run: TaskRun, inputs: Any, flow_parameters: Mapping[str, Any]) -> str | None:
        """A hash of them."""
        return stable_hash(dict(sorted(flow_parameters.items()))) if flow_parameters else None


class CacheKeyFnPolicy(CachePolicy):
    """Depends on what a function `(context, parameters) -> key` says; a key of None means no cache."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn

    def compute_key(self, run: TaskRun, inputs: Mapping[str, Any], flow_parameters: Any) -> str | None:
        """What the function says."""
        from schedulerd.authoring.run_contexts import TaskRunContext

        key = self._fn(TaskRunContext(run), dict(inputs))
        return None if key is None else str(key)


class Compound(CachePolicy):
    """Depends on all of several."""

    def __init__(self, parts: tuple[CachePolicy, ...]) -> None:
        self._parts = parts

    def compute_key(self, run: TaskRun, inputs: Any, flow_parameters: Any) -> str | None:
        """A hash of their keys; None where none of them has one."""
        keys = [part.compute_key(run, inputs, flow_parameters) for part in self._parts]
        known = [key for key in keys if key is not None]
        return stable_hash(known) if known else None


class Without(CachePolicy):
    """Another policy, to which one argument does not matter."""

    def __init__(self, policy: CachePolicy, name: str) -> None:
        self._policy = policy
        self._name = name

    def compute_key(self, run: TaskRun, inputs: Mapping[str, Any], flow_parameters: Any) -> str | None:
        """Its key for the other arguments."""
        rest = {name: value for name, value in inputs.items() if name != self._name}
        return self._policy.compute_key(run, rest, flow_parameters)


NO_CACHE: Final = NoCache()
NONE: Final = NO_CACHE
INPUTS: Final = Inputs()
TASK_SOURCE: Final = TaskSource()
RUN_ID: Final = RunId()
FLOW_PARAMETERS: Final = FlowParameters()
DEFAULT: Final = Compound((INPUTS, TASK_SOURCE, RUN_ID))


def stable_hash(value: Any) -> str:
    """The same text for the same value, in every process; raises `ValueError` for what cannot be pickled."""
    kind, content = serialize(value)
    return hashlib.sha256(kind.encode() + b"\0" + content).hexdigest()


def code_hash(fn: Callable[..., Any]) -> str:
    """The same text as long as the function's code is the same, wherever it stands in its file."""
    code = getattr(fn, "__code__", None)
    if code is None:
        return stable_hash(repr(type(fn)))
    return hashlib.sha256(repr(_parts_of(code)).encode()).hexdigest()


def _parts_of(code: Any) -> tuple[Any, ...]:
    constants = tuple(_parts_of(one) if hasattr(one, "co_code") else repr(one) for one in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants


def task_input_hash(context: Any, arguments: Mapping[str, Any]) -> str | None:
    """For `cache_key_fn`: depends on the task, its code and its arguments; None when these cannot be hashed."""
    task = context.task
    try:
        return stable_hash([task.name, code_hash(task.fn), stable_hash(dict(sorted(arguments.items())))])
    except ValueError:
        return None
