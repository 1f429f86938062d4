"""Commands look for no garbage, except for those that may go on for long."""

import gc

from schedulerd.domain.states import RunState
from tests.cli.scenes import Project


def test_who_waits_for_runs_looks_for_garbage_which_other_commands_do_not(project: Project) -> None:
    project.add_flow()
    project.add_run(RunState.COMPLETED)
    gc.disable()
    try:
        project.call("runs", "list")
        before = gc.isenabled()
        project.call("runs", "wait", "@last")

        assert (before, gc.isenabled()) == (False, True)
    finally:
        gc.enable()
