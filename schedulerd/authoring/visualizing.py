"""A graph drawn for people."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.graph_states import State
    from schedulerd.authoring.imperative import Imperative

_COLOURS: Final = {
    "completed": "#28a745",
    "cached": "#28a745",
    "failed": "#eb0000",
    "timed_out": "#eb0000",
    "upstream_failed": "#fb8c00",
    "skipped": "#62757f",
}


def visualize(
    flow: Imperative,
    flow_state: State | None,
    *,
    filename: str | None,
    format: str | None,  # noqa: A002
) -> Any:
    """The graph: with the library graphviz where it is installed, else as the text that it would be given.

    With `filename` it is written there: drawn with graphviz, else as `filename.dot`, whose path is returned.
    """
    text = dot(flow, flow_state)
    try:
        from graphviz import Source  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return text if filename is None else _written(filename, text)
    graph = Source(text)
    if filename is not None:
        graph.render(filename, format=format or "pdf", cleanup=True)
    return graph


def dot(flow: Imperative, flow_state: State | None = None) -> str:
    """The graph in the language of Graphviz; mapped tasks in a box of their own kind, coloured by state where there is one."""
    lines = [f"digraph {_quoted(flow.name)} {{"]
    for node in flow.nodes:
        label = f"{node.name} <map>" if node.is_mapped else node.name
        shape = ", shape=box" if node.is_mapped else ""
        lines.append(f"  n{node.number} [label={_quoted(label)}{shape}{_coloured(node, flow_state)}]")
    lines += [f"  n{first} -> n{second}" for first, second in flow.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _coloured(node: Any, flow_state: State | None) -> str:
    if flow_state is None or node not in (flow_state.result or {}):
        return ""
    word = flow_state.result[node].word
    return f", style=filled, fillcolor={_quoted(_COLOURS.get(word, '#ffffff'))}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _written(filename: str, text: str) -> str:
    path = f"{os.fspath(filename)}.dot"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
