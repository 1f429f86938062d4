"""What is drawn: a node is one use of a task in a graph, a parameter one of the graph's inputs."""

from __future__ import annotations

from schedulerd.authoring.context import drawing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Never

    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.tasks import Task

REQUIRED: Final = object()


class Unknown:
    """Something whose value is known only when the flow runs; using it as a value while drawing is refused."""

    name: str

    def _refusal(self, what: str) -> TypeError:
        return TypeError(
            f"{what} {self.name!r} is not possible while the flow is being drawn: its value is not known before "
            "the flow runs. Do it inside a task"
        )

    def __bool__(self) -> bool:
        raise self._refusal("testing the truth of")

    def __iter__(self) -> Never:
        raise self._refusal("iterating over")

    def __len__(self) -> int:
        raise self._refusal("taking the length of")

    def __contains__(self, item: object) -> bool:
        raise self._refusal("looking into")

    def __getitem__(self, key: object) -> Never:
        raise self._refusal("taking an item of")

    def _compare(self, other: object) -> Never:
        raise self._refusal("comparing")

    def _calculate(self, other: object = None, *more: object) -> Never:
        raise self._refusal("calculating with")

    def _convert(self, *more: object) -> Never:
        raise self._refusal("converting")

    # == and != stay identity, as in Prefect 1: nodes are keys of the results.
    __lt__ = __le__ = __gt__ = __ge__ = _compare
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _calculate
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _calculate
    __rmatmul__ = __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = _calculate
    __lshift__ = __rshift__ = __rlshift__ = __rrshift__ = __divmod__ = __rdivmod__ = _calculate
    __neg__ = __pos__ = __abs__ = __invert__ = _calculate
    __int__ = __float__ = __complex__ = __index__ = __round__ = _convert


class Node(Unknown):
    """One use of a task in a flow, with the arguments that it was drawn with."""

    def __init__(self, flow: Flow, task: Task, number: int) -> None:
        self.flow = flow
        self.task = task
        self.number = number
        self.name = task.name
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Node {self.name!r} of {self.flow.name!r}>"

    def set_upstream(self, task: Any, flow: Flow | None = None) -> None:
        """Run only after that task, or those in a list."""
        self.flow.connect(task, self)

    def set_downstream(self, task: Any, flow: Flow | None = None) -> None:
        """Run before that task, or those in a list."""
        self.flow.connect(self, task)


class Parameter(Unknown):
    """An input of a flow: required unless it has a default."""

    def __init__(self, name: str, default: Any = REQUIRED, required: bool | None = None) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"a parameter needs a name, not {name!r}")
        if required and default is not REQUIRED:
            raise ValueError(f"parameter {name!r} is required; a default would never be used")
        self.name = name
        self.required = default is REQUIRED and required is not False
        self.default = None if default is REQUIRED else default
        if (flow := drawing.get()) is not None:
            flow.take(self)

    def __repr__(self) -> str:
        return f"<Parameter {self.name!r}>"
