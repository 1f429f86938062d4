"""Results of tasks that are kept in a place with a name: `@task(result=LocalResult(dir="out"), target="{today}.json")`."""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.caching import results_folder
from schedulerd.authoring.context_values import ContextValues
from schedulerd.authoring.graph_states import Cached
from schedulerd.authoring.run_names import arguments_of
from schedulerd.authoring.serializing import PICKLE, deserialize, pickled
from schedulerd.authoring.whole_files import write_whole

if TYPE_CHECKING:
    from typing import Any, Protocol, Self

    from schedulerd.authoring.graph_states import State
    from schedulerd.authoring.task_runs import TaskRun

    class Serializer(Protocol):
        """What turns values into bytes and back."""

        def serialize(self, value: Any) -> bytes:
            """The value as bytes."""
            ...

        def deserialize(self, value: bytes) -> Any:
            """The value that these bytes are of."""
            ...


_AS_OTHERS: Final = 0o666
DEFAULT_LOCATION: Final = "{flow_name}/{flow_run_id}/{task_full_name}"


class PickleSerializer:
    """As a pickle, which takes nearly everything."""

    def serialize(self, value: Any) -> bytes:
        """The pickle."""
        return pickled(value)

    def deserialize(self, value: bytes) -> Any:
        """The value of a pickle."""
        return deserialize(PICKLE, value)


class JSONSerializer:
    """As JSON, which other programs read."""

    def serialize(self, value: Any) -> bytes:
        """The JSON text."""
        from json import dumps

        return dumps(value).encode()

    def deserialize(self, value: bytes) -> Any:
        """The value of a JSON text."""
        from json import loads

        return loads(value)


class LocalResult:
    """Files in a folder: `dir`, else where schedulerd keeps results. `location` is a template of their names."""

    def __init__(
        self,
        dir: str | os.PathLike[str] | None = None,  # noqa: A002  Prefect's name
        validate_dir: bool = True,
        *,
        location: str | None = None,
        serializer: Serializer | None = None,
        **more: Any,
    ) -> None:
        if more:
            raise TypeError(
                f"LocalResult() does not know {', '.join(more)}; it knows dir, location, serializer"
            )
        self.dir = results_folder() if dir is None else Path(dir).expanduser().absolute()
        self.location = location
        self.serializer: Serializer = PickleSerializer() if serializer is None else serializer
        self.value: Any = None

    def __repr__(self) -> str:
        return f"<LocalResult: {self.location!r} in {str(self.dir)!r}>"

    def format(self, **values: Any) -> Self:
        """The same with its location's places filled."""
        made = copy(self)
        made.location = None if self.location is None else self.location.format(**values)
        return made

    def exists(self, location: str, **values: Any) -> bool:
        """Is there a file of that name?"""
        return self._path(location.format(**values)).is_file()

    def read(self, location: str) -> Self:
        """The same with the value that is kept there."""
        made = copy(self)
        made.location = location
        made.value = self.serializer.deserialize(self._path(location).read_bytes())
        return made

    def write(self, value_: Any, **values: Any) -> Self:
        """Keep the value at the location: whole, or not at all."""
        made = self.format(**values)
        if made.location is None:
            raise ValueError(
                "a result is kept under a name: give target= to the task, or location= to LocalResult"
            )
        path = self._path(made.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.serializer.serialize(value_), mode=_AS_OTHERS)  # other programs may read it
        made.value = value_
        return made

    def _path(self, location: str) -> Path:
        return self.dir / location


def kept_value(run: TaskRun) -> State | None:
    """The state of a task whose value is kept already by its `target`; None where it is not."""
    if run.task.target is None:
        return None
    location = _location(run, run.task.target)
    place = _place(run)
    if not place.exists(location):
        return None
    return Cached(f"its value is kept as {location}", place.read(location).value)


def keep_value(run: TaskRun, value: Any) -> None:
    """Keep the value of a task where it says."""
    place = copy(_place(run))
    place.location = _location(run, run.task.target or place.location or DEFAULT_LOCATION)
    place.write(value)


def _place(run: TaskRun) -> Any:
    """The task's own place, else that of its flow, else the folder of results."""
    return run.task.result or getattr(run.context.flow, "result", None) or LocalResult()


def _location(run: TaskRun, template: Any) -> str:
    """The name by its template, which may use the context's values, parameters and arguments of the task."""
    inputs = arguments_of(run.task.fn, run.args, run.kwargs)
    values = {**run.context.parameters, **ContextValues().to_dict(), **inputs}
    if callable(template):
        return str(template(**values))
    try:
        return str(template).format(**values)
    except (KeyError, IndexError) as error:
        raise ValueError(
            f"the name {template!r} of the result of {run.name} uses {error}, which is not known"
        ) from None
