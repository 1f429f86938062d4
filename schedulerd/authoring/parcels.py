"""Values on their way between the processes of one flow run.

These are forked from each other, so that what a module defines is told by its name, and tasks and their functions, which
were there before the fork, by their number: globals of a flow file, which may hold connections and locks, stay where they
are. What has no name (a function within a function, a lambda) goes by cloudpickle, where that is installed.
"""

from __future__ import annotations

import pickle
from io import BytesIO
from types import CodeType
from typing import TYPE_CHECKING

from schedulerd.authoring.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Of a task that was made after the fork, all that counts where it is called.
_OPTIONS = ("name", "description", "tags", "version", "log_prints", "timeout_seconds")

_NAMELESS = "<dynamic-code>"


class NotSendable(TypeError):
    """A value cannot be sent to another process."""


class Shared:
    """What both sides of a fork know: tasks, and their functions, by number."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._values: list[Any] = []
        for task in tasks:
            self._values += [task, task.fn]
        self._numbers = {id(value): number for number, value in enumerate(self._values)}

    def number_of(self, value: Any) -> int | None:
        """The number of a value that both sides know."""
        return self._numbers.get(id(value))

    def value(self, number: int) -> Any:
        """The value of that number."""
        return self._values[number]


def packed(value: Any, shared: Shared, *, what: str) -> bytes:
    """The value as bytes; raises `NotSendable` that says of `what` why it cannot be sent."""
    try:
        return _dumped(pickle.Pickler, value, shared)
    except Exception as error:  # what pickle raises for what it cannot take differs by class and version
        first = error
    try:
        from cloudpickle import Pickler
    except ImportError:
        hint = "; cloudpickle, which takes more, is not installed"
    else:
        try:
            return _dumped(Pickler, value, shared)
        except Exception as error:  # border: values carry code of the user's
            first, hint = error, ""
    raise NotSendable(f"{what} cannot be sent to another process: {first}{hint}")


def packed_whole(value: Any, *, what: str) -> bytes:
    """The value for a process that knows nothing of this one: functions and classes of flow files go along.

    Raises `NotSendable`.
    """
    from cloudpickle import Pickler

    try:
        return _dumped(Pickler, value, Shared(()))
    except Exception as error:  # border: values carry code of the user's
        raise NotSendable(f"{what} cannot be sent to another machine: {error}") from error


def unpacked(content: bytes, shared: Shared) -> Any:
    """The value of these bytes; raises whatever its classes raise."""
    return _Unpickler(BytesIO(content), shared).load()


def _dumped(base: Any, value: Any, shared: Shared) -> bytes:
    class Packer(base):  # type: ignore[misc]
        def persistent_id(self, value: Any) -> int | None:
            return shared.number_of(value)

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, Task) and type(value) is Task:
                options = value.options
                return _remade, (value.fn, {key: options[key] for key in _OPTIONS if key in options})
            if isinstance(value, CodeType) and CodeType in getattr(self, "dispatch_table", ()):
                kind, args = self.dispatch_table[CodeType](value)
                # cloudpickle takes the name of the file away, which whoever reads a traceback needs
                return kind, tuple(value.co_filename if one == _NAMELESS else one for one in args)
            over = getattr(super(), "reducer_override", None)
            return NotImplemented if over is None else over(value)

    file = BytesIO()
    Packer(file).dump(value)
    return file.getvalue()


def _remade(fn: Any, options: dict[str, Any]) -> Task:
    return Task(fn, **options)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BytesIO, shared: Shared) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, number: Any) -> Any:
        return self._shared.value(number)
