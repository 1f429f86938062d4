"""The words of states, triggers and levels, marked for translation; the tokens themselves are never translated."""

from collections.abc import Mapping
from typing import Final


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for it
    """Marks a text that is translated where it is shown."""
    return text


STATES: Final[Mapping[str, str]] = {
    "scheduled": N_("scheduled"),
    "pending": N_("pending"),
    "running": N_("running"),
    "retrying": N_("retrying"),
    "paused": N_("paused"),
    "cancelling": N_("cancelling"),
    "completed": N_("completed"),
    "cached": N_("cached"),
    "failed": N_("failed"),
    "timed_out": N_("timed out"),
    "crashed": N_("crashed"),
    "cancelled": N_("cancelled"),
    "skipped": N_("skipped"),
    "missed": N_("missed"),
    "upstream_failed": N_("upstream failed"),
}
TRIGGERS: Final[Mapping[str, str]] = {
    "schedule": N_("schedule"),
    "manual": N_("manual"),
    "crontab": N_("crontab"),
    "after": N_("after another run"),
    "file": N_("file"),
    "webhook": N_("webhook"),
    "flow": N_("another flow"),
}
LEVELS: Final[Mapping[str, str]] = {
    "debug": N_("debug"),
    "info": N_("info"),
    "warning": N_("warning"),
    "error": N_("error"),
    "critical": N_("critical"),
}
GROUPS: Final[Mapping[str, str]] = {
    "active": N_("Active"),
    "waiting": N_("Waiting"),
    "bad": N_("Bad"),
    "ok": N_("Completed"),
    "neutral": N_("Skipped or cancelled"),
}
DONE: Final[Mapping[str, str]] = {
    "started": N_("The run is started."),
    "cancelling": N_("The run is told to end."),
    "retrying": N_("The run is tried again."),
    "approved": N_("The run goes on."),
    "paused": N_("The schedule is paused."),
    "resumed": N_("The schedule goes on."),
    "saved": N_("The schedule is saved, and in force."),
    "deleted": N_("The schedule is deleted."),
    "rejected": N_("The run is told that it was rejected."),
}
