"""Runs that wait for somebody: `pause_flow_run(key="release")`, under Prefect's names."""

from schedulerd.authoring.pausing import (
    PauseTimedOut,
    Rejected,
    pause_flow_run,
    resume_flow_run,
    suspend_flow_run,
)

__all__ = ["PauseTimedOut", "Rejected", "pause_flow_run", "resume_flow_run", "suspend_flow_run"]
