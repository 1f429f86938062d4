"""Runs flows of a file as a program in plain Python does, one after the other, and prints what each came to.

`python -m tests.prefect.plainly FILE FLOW...`: a line of JSON for each, its state and its value or what is said of it.
"""

import json
import runpy
import sys
from typing import Any

from schedulerd.authoring.flows import AnyFlow
from schedulerd.authoring.functions import FunctionFlow


def main(file: str, *names: str) -> None:
    """Run them."""
    found = {one.name: one for one in runpy.run_path(file).values() if isinstance(one, AnyFlow)}
    for name in names:
        state, value = came_to(found[name])
        sys.stdout.write(json.dumps([name, state, value], default=str) + "\n")
        sys.stdout.flush()


def came_to(flow: Any) -> tuple[str, Any]:
    """The state of a run, and its value where it completed, else what is said of it."""
    if isinstance(flow, FunctionFlow):
        try:
            return "completed", _value_of(flow)
        except Exception as error:
            return "failed", f"{type(error).__name__}: {error}"
    state = flow.run()
    if state.is_successful():
        return "completed", flow.value(state)
    return "failed", "; ".join(str(one.message) for one in state.result.values() if one.is_failed())


def _value_of(flow: FunctionFlow) -> Any:
    if not flow.is_async:
        return flow()
    from asyncio import run

    return run(flow())


if __name__ == "__main__":
    main(*sys.argv[1:])
