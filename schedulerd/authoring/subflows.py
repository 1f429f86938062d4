"""A flow that is called within another: its child run, and the task run of the parent that stands for it."""

from __future__ import annotations

from schedulerd.authoring.records import FlowRecord, TaskRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.flows import AnyFlow
    from schedulerd.authoring.keeping import Kept
    from schedulerd.domain.failures import Failure

_ENDS = frozenset({"completed", "failed", "timed_out", "crashed", "cancelled"})
_PLAIN = (int, float, bool, type(None))
_SHORT = 256  # characters
_WARNING = 30


class Subflow:
    """Tells of a child run in `context`, within `outer`: its beginning, and what it came to."""

    def __init__(self, flow: AnyFlow, context: FlowContext, outer: FlowContext) -> None:
        self._flow = flow
        self._context = context
        self._outer = outer
        self._call: str | None = None

    def begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """It is called now, with these arguments, as the how-manieth of its flow: its tasks are known by that, too."""
        context, known = self._context, self._outer.known
        context.within = next(self._outer.numbers)
        if known is None:
            return
        name = f"{self._flow.name}/"
        index = known.next_index(name)
        self._call = known.call(name, index, args, kwargs)
        retries = self._flow.retries_given
        context.known = known.within(f"{name}{index}/", holds=bool(retries and retries.limit))

    def found(self) -> tuple[Any] | None:
        """What the same call came to in an earlier attempt, where it completed: that is recorded, and it does not run again."""
        known = self._outer.known
        earlier = None if known is None or self._call is None else known.found(self._call)
        if earlier is None:
            return None
        try:
            value = earlier.load()
        except Exception as error:  # a class that has changed since, or a file that is gone
            self._outer.log(
                _WARNING, f"{self._flow.name} runs again: what it came to cannot be read: {error!r}"
            )
            return None
        shown, kept = self._kept(value)
        task = self._task("completed", message="completed in an earlier attempt", result=shown, kept=kept)
        task.began_at, task.at = earlier.began_at, earlier.ended_at or task.at
        self._outer.recorder.flow(FlowRecord(task, id=None, flow=self._flow.name))
        return (value,)

    def started(self) -> None:
        """It runs."""
        context = self._context
        record = FlowRecord(
            self._task("running"),
            id=context.facts.id,
            flow=self._flow.name,
            parameters={name: _told(value) for name, value in context.parameters.items()},
            tags=context.tags,
        )
        self._outer.recorder.flow(record)

    def ended(
        self,
        word: str,
        *,
        attempt: int = 1,
        message: str = "",
        failure: Failure | None = None,
        value: Any = None,
    ) -> None:
        """It came to this state, which is an end unless the flow made it itself, and to this value."""
        shown, kept = None, None
        if word == "completed":
            shown, kept = self._kept(value)
        elif word not in _ENDS:
            word, message = "failed", f"the flow returned the state {word}, which is no end"
        task = self._task(word, attempt=attempt, message=message, failure=failure, result=shown, kept=kept)
        if word == "completed":
            self._remember(value, ended_at=task.at)
        context = self._context
        self._outer.recorder.flow(FlowRecord(task, id=context.facts.id, flow=self._flow.name))

    def cut_short(self, error: BaseException, *, attempt: int = 1) -> None:
        """It was ended by what ends the whole run: a cancellation, an exit."""
        from schedulerd.authoring.execution import outcome_of_error  # late: it ends few runs

        outcome = outcome_of_error(error, self._context, called=getattr(self._flow, "fn", None))
        self.ended(outcome.state, attempt=attempt, message=outcome.message, failure=outcome.failure)

    def _remember(self, value: Any, *, ended_at: int) -> None:
        if self._call is not None and self._outer.known is not None:
            began_at = self._context.started_at
            self._outer.known.keep(self._call, value, began_at=began_at, ended_at=ended_at)

    def _kept(self, value: Any) -> tuple[str | None, Kept | None]:
        """What people are shown of the value, and the value as it is kept, where values are."""
        if self._call is None or self._outer.recorder.keeper is None:
            return self._outer.shown(value), None
        from schedulerd.authoring.keeping import keep_or_tell

        storage = getattr(self._flow, "result_storage", None) or getattr(
            self._outer.flow, "result_storage", None
        )
        return keep_or_tell(value, self._outer, f"what {self._flow.name} returned", storage=storage)

    def _task(
        self,
        word: str,
        *,
        attempt: int = 1,
        message: str = "",
        failure: Failure | None = None,
        result: str | None = None,
        kept: Kept | None = None,
    ) -> TaskRecord:
        assert self._context.within is not None
        return TaskRecord(
            self._context.within,
            self._context.facts.name or self._flow.name,
            word,
            self._outer.now(),
            within=self._outer.within,
            attempt=attempt,
            message=message,
            failure=failure,
            result=result,
            call=None if kept is None else self._call,
            kept=kept,
        )


def _told(value: Any) -> Any:
    """A parameter as it is told: itself where it is short and plain, else what people are shown of it, as JSON if it is."""
    if type(value) in _PLAIN or (type(value) is str and len(value) <= _SHORT):
        return value
    from json import loads  # late: most parameters are plain

    from schedulerd.authoring.previews import preview

    shown = preview(value)
    try:
        return loads(shown)
    except ValueError:
        return shown
