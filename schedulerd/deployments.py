"""Runs of other flows, by name: `run_deployment("load", parameters={"day": "2026-11-27"})`."""

from schedulerd.authoring.child_runs import FlowRun, run_deployment, run_flow

__all__ = ["FlowRun", "run_deployment", "run_flow"]
