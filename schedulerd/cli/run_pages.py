"""What a person sees of one run."""

from collections.abc import Iterator
from typing import Final

import click

from schedulerd.cli import moments
from schedulerd.cli.output import Output, Shape, json_text
from schedulerd.cli.states import state_cell
from schedulerd.cli.tables import Cell, draw, visible

_MOST_TRACEBACKS: Final = 3


def run_page(run: Shape, out: Output) -> str:
    """The run, its error, its tasks and moves."""
    state = state_cell(run["state"], late=run["late"])
    title = f"{click.style(state.text, fg=state.color)}  {click.style(run['name'], bold=True)}  {run['id']}"
    parts = [
        title,
        *_facts(run, out),
        *_error(run),
        *_tasks(run),
        *_task_tracebacks(run),
        *_children(run),
        *_moves(run, out),
    ]
    return "\n".join(parts)


def facts(pairs: list[tuple[str, str]]) -> list[str]:
    """Names and values under each other; those without a value are left out."""
    known = [(name, visible(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in known), default=0)
    return [f"  {click.style(name.ljust(width), fg='bright_black')}  {value}" for name, value in known]


def _facts(run: Shape, out: Output) -> list[str]:
    trigger = f"{run['trigger']} {run['schedule']}" if run["schedule"] else run["trigger"]
    cpu = moments.duration(run["cpu_ms"])
    return facts(
        [
            ("called", f"{run['flow_run_name']}, within the process of {run['root']}" if run["root"] else ""),
            ("parent", run["parent"] or ""),
            ("reason", run["reason"]),
            ("trigger", trigger),
            ("parameters", json_text(run["parameters"]) if run["parameters"] else ""),
            ("pool", run["pool"] or ""),
            ("priority", str(run["priority"] or "")),
            ("due", out.at_and_ago(run["due_at"])),
            ("started", out.at_and_ago(run["started_at"])),
            ("ended", out.at_and_ago(run["ended_at"])),
            ("duration", moments.duration(run["duration_ms"])),
            ("cpu", f"{cpu}, {moments.size(run['max_rss_bytes'])} at most" if cpu else ""),
            ("attempt", str(run["attempt"]) if run["attempt"] > 1 else ""),
            ("process", f"{run['pid']} of {run['agent']}" if run["pid"] else ""),
            ("version", (run["version"] or "")[:12]),
            ("result", run["result_preview"] or ""),
        ]
    )


def _error(run: Shape) -> Iterator[str]:
    error = run["error"]
    if error is not None:
        place = f"{error['file']}:{error['line']}" if error["line"] else error["file"] or ""
        where = [f"in task {error['task']}" if error["task"] else "", f"at {place}" if place else ""]
        yield ""
        yield click.style(visible(f"{error['type']}: {error['message']}"), fg="red")
        if any(where):
            yield f"  {visible(' '.join(filter(None, where)))}"
        yield from _traceback(error)


def _traceback(error: Shape) -> Iterator[str]:
    for line in error["traceback"].splitlines():
        yield f"  {visible(line)}".rstrip()


def _tasks(run: Shape) -> list[str]:
    rows = [
        [
            state_cell(task["state"]),
            Cell(task_name(task)),
            Cell(moments.duration(task["duration_ms"])),
            Cell(str(task["attempt"]) if task["attempt"] > 1 else ""),
            Cell(_outcome(task), "red" if task["error"] else None),
        ]
        for task in run["tasks"]
    ]
    titles = ("TASK STATE", "TASK", "DURATION", "ATTEMPT", "RESULT")
    return ["", *_table(titles, rows)] if rows else []


def _task_tracebacks(run: Shape) -> Iterator[str]:
    """Where the tasks failed, but for what stands with the error of the run, and for repetitions."""
    told = {"", run["error"]["traceback"] if run["error"] else ""}
    failed: dict[str, Shape] = {}
    for task in run["tasks"]:
        if task["error"] and task["error"]["traceback"] not in told:
            failed.setdefault(task["error"]["traceback"], task)
    for task in list(failed.values())[:_MOST_TRACEBACKS]:
        yield ""
        yield visible(f"  {task_name(task)}:")
        yield from _traceback(task["error"])
    if len(failed) > _MOST_TRACEBACKS:
        yield ""
        yield f"  and {len(failed) - _MOST_TRACEBACKS} more; -o json has them all"


def task_name(task: Shape) -> str:
    """`load`, or `load[3]` for one of a mapped task's."""
    return str(task["name"]) if task["map_index"] is None else f"{task['name']}[{task['map_index']}]"


def _outcome(task: Shape) -> str:
    error = task["error"]
    return f"{error['type']}: {error['message']}" if error else task["result_preview"] or ""


def _children(run: Shape) -> list[str]:
    rows = [
        [
            state_cell(child["state"], late=child["late"]),
            Cell(child["name"]),
            Cell(child["flow_run_name"] or child["flow"]),
            Cell(moments.duration(child["duration_ms"])),
            Cell(_outcome(child), "red" if child["error"] else None),
        ]
        for child in run["children"]
    ]
    titles = ("CHILD STATE", "RUN", "FLOW", "DURATION", "RESULT")
    return ["", *_table(titles, rows)] if rows else []


def _moves(run: Shape, out: Output) -> list[str]:
    rows = [
        [Cell(out.at(move["at"])), state_cell(move["to"]), Cell(move["actor"]), Cell(move["message"])]
        for move in run["moves"]
    ]
    return ["", *_table(("AT", "BECAME", "BY", "MESSAGE"), rows)] if rows else []


def _table(titles: tuple[str, ...], rows: list[list[Cell]]) -> list[str]:
    flags = [False] * len(titles)
    return [f"  {line}" for line in draw(titles, rows, flexible=flags, right=flags, width=None)]
