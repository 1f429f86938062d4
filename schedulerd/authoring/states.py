"""How a flow or task ended, as user code sees it."""

from __future__ import annotations

from schedulerd.authoring.nodes import Node
from schedulerd.authoring.tasks import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.domain.failures import Failure


class State:
    """A state with its message and result.

    `result` is what a task returned, or the exception that it raised; for a flow, the states by task:
    `state.result[task].result`.
    """

    __slots__ = ("failure", "message", "name", "result")

    def __init__(
        self, name: str, *, message: str = "", result: Any = None, failure: Failure | None = None
    ) -> None:
        self.name = name
        self.message = message
        self.result = result
        self.failure = failure

    def __repr__(self) -> str:
        return f"<State {self.name}: {self.message}>" if self.message else f"<State {self.name}>"

    def is_successful(self) -> bool:
        """Did it complete?"""
        return self.name == "completed"

    is_completed = is_successful

    def is_failed(self) -> bool:
        """Did it fail, itself or because something before it did?"""
        return self.name in ("failed", "upstream_failed")

    def is_finished(self) -> bool:
        """Has it ended? What `flow.run()` returns always has."""
        return True


class States(dict[object, State]):
    """The states of a flow's nodes and parameters. A task that was drawn once stands for its node."""

    def __missing__(self, key: object) -> State:
        nodes = [node for node in self if isinstance(node, Node) and node.task is key]
        if len(nodes) == 1:
            return self[nodes[0]]
        if isinstance(key, Task) and nodes:
            raise KeyError(
                f"{key.name} stands {len(nodes)} times in this flow: use what each call of it returned"
            )
        raise KeyError(key)
