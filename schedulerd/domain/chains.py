"""Which flow comes after which: a chain that came back to its beginning would never end. Pure."""

from collections.abc import Iterable


class Chains:
    """The flows that run after others, as far as they were added."""

    def __init__(self) -> None:
        self._after: dict[str, list[str]] = {}

    def add(self, flow: str, after: Iterable[str]) -> None:
        """The flow runs after each of these."""
        for earlier in after:
            self._after.setdefault(earlier, []).append(flow)

    def circle(self, flow: str, after: Iterable[str]) -> list[str]:
        """The flows of the circle that there would be if the flow ran after these, each after the next; empty where
        there would be none."""
        for earlier in after:
            if (way := self._way(flow, earlier)) is not None:
                return [flow, *reversed(way)]
        return []

    def _way(self, start: str, end: str) -> list[str] | None:
        """The flows from one to another, each after the one before it, both included; None where there is no way."""
        if start == end:
            return [start]
        came_from: dict[str, str] = {}
        waiting = [start]
        for flow in waiting:
            for later in self._after.get(flow, ()):
                if later in came_from or later == start:
                    continue
                came_from[later] = flow
                if later == end:
                    return _back(came_from, end, start)
                waiting.append(later)
        return None


def _back(came_from: dict[str, str], end: str, start: str) -> list[str]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]
