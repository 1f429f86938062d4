"""What is drawn: a node is one use of a task in a graph, a parameter one of the graph's inputs."""

from __future__ import annotations

from schedulerd.authoring.context import drawing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Final, Never

    from schedulerd.authoring.graphs import Flow
    from schedulerd.authoring.tasks import Task

REQUIRED: Final = object()


def _operation(name: str, *, is_reflected: bool = False) -> Callable[..., Node]:
    def operate(self: Unknown, *others: Any) -> Node:
        from schedulerd.authoring.operators import operation  # late: few flows calculate with nodes

        if len(others) > 1:  # pow(node, 2, 3)
            raise self._refusal("calculating with")
        return operation(name, (*others, self) if is_reflected else (self, *others))

    return operate


class Unknown:
    """Something whose value is known only when the flow runs.

    Calculating with it, comparing and taking an item draw a node more. Using it as a value while drawing is refused.
    """

    name: str

    def _refusal(self, what: str) -> TypeError:
        return TypeError(
            f"{what} {self.name!r} is not possible while the flow is being drawn: its value is not known before "
            "the flow runs. Do it inside a task"
        )

    def __bool__(self) -> bool:
        raise self._refusal("testing the truth of")

    def __iter__(self) -> Iterator[Node]:
        raise self._refusal("iterating over")

    def __len__(self) -> int:
        raise self._refusal("taking the length of")

    def __contains__(self, item: object) -> bool:
        raise self._refusal("looking into")

    def _calculate(self, other: object = None, *more: object) -> Never:
        raise self._refusal("calculating with")

    def _convert(self, *more: object) -> Never:
        raise self._refusal("converting")

    # == and != stay identity, as in Prefect 1: nodes are keys of the results.
    is_equal = _operation("Equal")
    not_equal = _operation("NotEqual")
    or_ = _operation("Or")
    and_ = _operation("And")
    not_ = _operation("Not")
    __getitem__ = _operation("GetItem")
    __lt__, __le__ = _operation("LessThan"), _operation("LessThanOrEqual")
    __gt__, __ge__ = _operation("GreaterThan"), _operation("GreaterThanOrEqual")
    __add__, __radd__ = _operation("Add"), _operation("Add", is_reflected=True)
    __sub__, __rsub__ = _operation("Sub"), _operation("Sub", is_reflected=True)
    __mul__, __rmul__ = _operation("Mul"), _operation("Mul", is_reflected=True)
    __truediv__, __rtruediv__ = _operation("Div"), _operation("Div", is_reflected=True)
    __floordiv__, __rfloordiv__ = _operation("FloorDiv"), _operation("FloorDiv", is_reflected=True)
    __mod__, __rmod__ = _operation("Mod"), _operation("Mod", is_reflected=True)
    __pow__, __rpow__ = _operation("Pow"), _operation("Pow", is_reflected=True)
    __and__, __rand__ = _operation("And"), _operation("And", is_reflected=True)
    __or__, __ror__ = _operation("Or"), _operation("Or", is_reflected=True)
    __neg__ = _operation("Neg")

    __matmul__ = __rmatmul__ = __xor__ = __rxor__ = __divmod__ = __rdivmod__ = _calculate
    __lshift__ = __rshift__ = __rlshift__ = __rrshift__ = __pos__ = __abs__ = __invert__ = _calculate
    __int__ = __float__ = __complex__ = __index__ = __round__ = _convert


class Node(Unknown):
    """One use of a task in a flow, with the arguments that it was drawn with.

    `is_mapped`: it stands for a task run for each item. `items_of` are the numbers of the nodes whose items go to
    these one by one, `tolerates` those that may fail.
    """

    is_mapped = False
    items_of: frozenset[int] = frozenset()
    tolerates: frozenset[int] = frozenset()

    def __init__(self, flow: Flow, task: Task, number: int) -> None:
        self.flow = flow
        self.task = task
        self.number = number
        self.name = task.name
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Node {self.name!r} of {self.flow.name!r}>"

    def __iter__(self) -> Iterator[Node]:
        """The parts of what it returns, where it is known how many: by `nout`, or by a hint such as `tuple[int, str]`."""
        from schedulerd.authoring.unpacking import part_count  # late: few tasks are unpacked

        count = part_count(self.task)
        if count is None:
            raise self._refusal(
                "iterating over (or unpacking, without @task(nout=...) or a hint such as tuple[int, str])"
            )
        return iter([self[number] for number in range(count)])

    @property
    def slug(self) -> str:
        """Its name within the flow, unlike any other."""
        return f"{self.task.slug or self.name}-{self.number + 1}"

    @property
    def tags(self) -> tuple[str, ...]:
        """Those of its task."""
        return self.task.tags

    def set_upstream(
        self, task: Any, flow: Flow | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Run only after that task, or those in a list; with `key`, as that argument."""
        self.flow.link(task, self, key=key, is_mapped=mapped)

    def set_downstream(
        self, task: Any, flow: Flow | None = None, key: str | None = None, mapped: bool = False
    ) -> None:
        """Run before that task, or those in a list; with `key`, as that argument of it."""
        self.flow.link(self, task, key=key, is_mapped=mapped)

    def set_dependencies(
        self,
        flow: Flow | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
    ) -> None:
        """Run after those, before these, with these as arguments."""
        self.flow.set_dependencies(self, upstream_tasks, downstream_tasks, keyword_tasks, mapped=mapped)


class Parameter(Unknown):
    """An input of a flow: required unless it has a default."""

    def __init__(
        self,
        name: str,
        default: Any = REQUIRED,
        required: bool | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"a parameter needs a name, not {name!r}")
        if required and default is not REQUIRED:
            raise ValueError(f"parameter {name!r} is required; a default would never be used")
        self.name = self.slug = name
        self.required = default is REQUIRED and required is not False
        self.default = None if default is REQUIRED else default
        self.tags = () if tags is None else tuple(tags)
        if (flow := drawing.get()) is not None:
            flow.take(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def read(self, value: Any) -> Any:
        """What tasks are given for the value that a run is given."""
        return value


class DateTimeParameter(Parameter):
    """A parameter that is a moment, given as a text in ISO format or as a datetime."""

    def read(self, value: Any) -> Any:
        """The moment; raises `ValueError` for a text that is none."""
        if not isinstance(value, str):
            return value
        from datetime import datetime  # late: dear, and few flows have one

        return datetime.fromisoformat(value)
