"""A flow's graph as text: for a terminal, and in Graphviz's language. Pure."""

from collections.abc import Sequence

from schedulerd.domain.graph import predecessors, topological_order

Edges = Sequence[tuple[int, int]]


def ascii_graph(name: str, tasks: Sequence[str], edges: Edges) -> str:
    """A line for each task, in an order in which they can run, deeper under what it waits for."""
    before = predecessors(len(tasks), edges)
    depth: dict[int, int] = {}
    lines = [name]
    for node in topological_order(len(tasks), edges):
        depth[node] = 1 + max((depth[one] for one in before[node]), default=-1)
        waits_for = f"  ← {', '.join(tasks[one] for one in before[node])}" if before[node] else ""
        lines.append(f"{'   ' * depth[node]}└─ {tasks[node]}{waits_for}")
    return "\n".join(lines)


def dot_graph(name: str, tasks: Sequence[str], edges: Edges) -> str:
    """The graph for `dot -Tsvg`."""
    nodes = [f"  {number} [label={_quoted(task)}];" for number, task in enumerate(tasks)]
    arrows = [f"  {first} -> {second};" for first, second in edges]
    return "\n".join([f"digraph {_quoted(name)} {{", *nodes, *arrows, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
