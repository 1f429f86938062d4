"""The function style: a flow that is a plain Python function and runs as it goes."""

from __future__ import annotations

from schedulerd.authoring import loading
from schedulerd.authoring.context import flow_run
from schedulerd.authoring.flows import ERROR, INFO, AnyFlow
from schedulerd.authoring.options import refuse_unknown
from schedulerd.authoring.states import State
from schedulerd.authoring.surroundings import SURROUNDINGS
from schedulerd.authoring.wrapping import doc_of, is_async_function, name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Unpack, overload

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.schedules import Schedule
    from schedulerd.authoring.surroundings import Surroundings

_KNOWN = (
    *("name", "description", "tags", "schedule", "timeout_seconds", "pool", "priority", "max_running"),
    *SURROUNDINGS,
)


class FunctionFlow(AnyFlow):
    """A function as a flow: calling it runs it here and now, returns its value or raises; needs no daemon.

    Calling an async one returns a coroutine, as calling the function would.
    """

    style = "function"

    __name__: str

    def __init__(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        schedule: Schedule | Iterable[Schedule] | None = None,
        timeout_seconds: float | str | None = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        if not callable(fn):
            raise TypeError(f"a flow is made of a function, not of {fn!r}")
        self.fn = fn
        self.is_async = is_async_function(fn)
        super().__init__(
            name if name is not None else name_of(fn).replace("_", "-"),
            schedule=schedule,
            description=doc_of(fn) if description is None else description,
            tags=tags,
            timeout_seconds=timeout_seconds,
            pool=pool,
            priority=priority,
            max_running=max_running,
            surroundings=surroundings,
        )
        wrap(self, fn)

    def __repr__(self) -> str:
        return f"<flow {self.name!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow with these arguments."""
        if loading.is_loading():
            loading.note_done(self, "call", args, kwargs)
            return loading.placeholder(is_async=self.is_async)
        if self.is_async:
            return self._called_async(args, kwargs)
        with _Told(self._context()):
            return self.fn(*args, **kwargs)

    def perform(self, parameters: Mapping[str, Any], context: FlowContext) -> State:
        """Run within `context`, with parameters from JSON; the state's result is what the function returned."""
        from schedulerd.authoring.parameters import coerced  # late: loads inspect and typing

        kwargs = coerced(self.fn, parameters, flow=self.name)
        token = flow_run.set(context)
        try:
            value = self.fn(**kwargs)
            if self.is_async:
                from asyncio import run  # late: only async flows need it

                value = run(value)
        finally:
            flow_run.reset(token)
        return State("completed", result=value)

    def value(self, state: State) -> Any:
        """What the function returned."""
        return state.result

    async def _called_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with _Told(self._context()):
            return await self.fn(*args, **kwargs)


class _Told:
    """Makes a context the present one, and logs how the block ended."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = flow_run.set(self._context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> None:
        flow_run.reset(self._token)
        if kind is None:
            self._context.log(INFO, f"{self._context.name}: completed")
        else:
            self._context.log(ERROR, f"{self._context.name}: ended by {kind.__name__}")


if TYPE_CHECKING:

    @overload
    def flow(fn: Callable[..., Any], /) -> FunctionFlow: ...

    @overload
    def flow(
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] = (),
        schedule: Schedule | Iterable[Schedule] | None = None,
        timeout_seconds: float | str | None = None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> Callable[[Callable[..., Any]], FunctionFlow]: ...


def flow(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a flow: `@flow`, or `@flow(name="etl", schedule=Cron("0 6 * * *"))`."""
    refuse_unknown("flow", options, known=_KNOWN)
    if fn is not None:
        return FunctionFlow(fn, **options)
    return lambda fn: FunctionFlow(fn, **options)
