"""Whose turn it is in the run of a graph, and who waits for another attempt."""

from __future__ import annotations

from heapq import heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from schedulerd.authoring.context import FlowContext
    from schedulerd.authoring.graph_task_runs import GraphTaskRun
    from schedulerd.authoring.nodes import Node
    from schedulerd.authoring.outcomes import TaskOutcome

A_SECOND = 1_000_000


class Turn:
    """One task of a node: the only one, or that of an index. `run` is its task run, once it has one.

    `refusal` is why it is not to go on, where somebody was asked.
    """

    __slots__ = ("index", "node", "refusal", "run")

    def __init__(self, node: Node, index: int | None) -> None:
        self.node = node
        self.index = index
        self.run: GraphTaskRun | None = None
        self.refusal: Exception | None = None

    def decide(self) -> None:
        """Wait for somebody's decision whether it goes on; a time at which it goes on all the same is one, too."""
        from schedulerd.authoring.pausing import (  # late: few wait for a person
            PauseTimedOut,
            wait_for_approval,
        )

        run = self.run
        assert run is not None
        assert run.paused is not None
        where = (
            f"[{self.index}]" if run.started_at and self.index is not None else ""
        )  # for a trigger one for all
        message = f"task {run.name}{where}" + (f": {run.paused.message}" if run.paused.message else "")
        key = f"task {self.node.number}{where} {run.pauses}"
        try:
            wait_for_approval(message, key=key, seconds=run.seconds_paused())
        except PauseTimedOut:
            pass
        except Exception as error:  # border: it was rejected, or there is nobody to ask
            self.refusal = error
            return
        run.resume()

    def attempt(self, run: GraphTaskRun) -> TaskOutcome | None:
        """Attempt its task run: how it ended, or None when there is another attempt later."""
        from schedulerd.authoring.context import task_run

        token = task_run.set(run)
        try:
            return run.carry_out()
        finally:
            task_run.reset(token)


class Agenda:
    """The turns that can be taken. What waits for another attempt comes after all that need not wait, as in Prefect 1."""

    def __init__(self, context: FlowContext) -> None:
        self.context = context
        self._ready: list[tuple[int, int, Turn]] = []
        self._first: list[Turn] = []
        self._waiting: list[tuple[int, int, Turn]] = []
        self._held: list[Turn] = []
        self._count = 0

    def add(self, node: Node, index: int | None = None) -> None:
        """It can have its turn; of several, that which was drawn first does."""
        heappush(self._ready, (node.number, -1 if index is None else index, Turn(node, index)))

    def add_next(self, node: Node, index: int | None = None) -> None:
        """It can have its turn, before all others."""
        self._first.append(Turn(node, index))

    def wait(self, turn: Turn) -> None:
        """Its task is to be tried again after the pause that its run says."""
        assert turn.run is not None
        self._count += 1
        due = self.context.now() + round(turn.run.pause * A_SECOND)
        heappush(self._waiting, (due, self._count, turn))

    def hold(self, turn: Turn) -> None:
        """Its task waits for somebody's approval, who is asked when nothing else is left to do."""
        self._held.append(turn)

    def ready(self) -> Turn | None:
        """The next turn that need not wait."""
        if self._first:
            return self._first.pop()
        if self._ready:
            return heappop(self._ready)[2]
        if self._waiting and not self.seconds_to_next():
            return heappop(self._waiting)[2]
        return None

    def seconds_to_next(self) -> float | None:
        """How long until the next one that waits may be tried again; None when none waits."""
        if not self._waiting:
            return None
        return max(0.0, (self._waiting[0][0] - self.context.now()) / A_SECOND)

    def next_turn(self) -> Turn | None:
        """The next turn, waited for where all that is left waits; None when nothing is left."""
        if (turn := self.ready()) is not None:
            return turn
        if self._waiting:
            self.pause()
            return heappop(self._waiting)[2]
        return self._decided() if self._held else None

    def _decided(self) -> Turn:
        """The next turn that somebody decides about, once they have."""
        turn = self._held[0]
        try:
            turn.decide()
        except BaseException as error:
            self._cut_short(error, self._held)
            raise
        return self._held.pop(0)

    def carry_out(
        self,
        prepared: Callable[[Turn], GraphTaskRun | None],
        settle: Callable[[Turn, TaskOutcome | None], None],
    ) -> None:
        """Take all turns, one after the other, in this thread."""
        while (turn := self.next_turn()) is not None:
            if (run := prepared(turn)) is not None:
                settle(turn, turn.attempt(run))

    def pause(self) -> None:
        """Wait until the next one may be tried again."""
        try:
            self.context.pause(self.seconds_to_next() or 0.0)
        except BaseException as error:
            self._cut_short(error, [turn for _, _, turn in self._waiting])
            raise

    @staticmethod
    def _cut_short(error: BaseException, turns: list[Turn]) -> None:
        for turn in turns:
            if turn.run is not None:
                turn.run.cut_short(error)
