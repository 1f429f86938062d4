"""Runs of other flows, by name: `run_deployment("load", parameters={"day": "2026-11-27"})`."""

from schedulerd.authoring.child_runs import FlowRun, run_deployment, run_flow

__all__ = ["FlowRun", "run_deployment", "run_flow"]

TYPE_CHECKING = False
if not TYPE_CHECKING:  # type checkers know the names by themselves

    def __getattr__(name: str) -> object:
        from schedulerd.authoring.prefect_names import not_there  # seldom asked for

        raise not_there(__name__, name, has=__all__)
