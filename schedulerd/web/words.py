"""The words of states, triggers, policies and levels, marked for translation; the tokens themselves are never translated."""

from collections.abc import Callable, Mapping
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
    "none": N_("not run"),
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
OVERLAPS: Final[Mapping[str, str]] = {
    "skip": N_("skip"),
    "queue": N_("queue"),
    "allow": N_("allow"),
    "replace": N_("replace"),
}
CATCHUPS: Final[Mapping[str, str]] = {"latest": N_("latest"), "all": N_("all"), "none": N_("none")}
MEANS: Final[Mapping[str, str]] = {
    "password": N_("by password"),
    "link": N_("by link"),
    "token": N_("by token"),
    "account": N_("by account of the machine"),
}
REASONS: Final[Mapping[str, str]] = {
    "overlap": N_("the run before it still ran"),
    "coalesced": N_("one run stands for several times"),
    "misfire": N_("no daemon ran at its time"),
    "paused": N_("the schedule was paused"),
    "window": N_("its time was too long ago"),
    "limit": N_("more times were missed than are made up for"),
    "blackout": N_("its time was within a blackout"),
    "edited": N_("the schedule was edited"),
    "removed": N_("the schedule was removed"),
    "queue-full": N_("too many waited already"),
    "replaced": N_("a later run took its place"),
}
"""Why a run was skipped."""

AGENT_STATES: Final[Mapping[str, str]] = {
    "online": N_("online"),
    "draining": N_("draining"),
    "offline": N_("offline"),
    "other_version": N_("other version"),
}
ROLES: Final[Mapping[str, str]] = {
    "viewer": N_("viewer"),
    "operator": N_("operator"),
    "admin": N_("admin"),
}
WEEKDAYS: Final = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
DONE: Final[Mapping[str, str]] = {
    "started": N_("The run is started."),
    "cancelling": N_("The run is told to end."),
    "killed": N_("The run is killed."),
    "retrying": N_("The run is tried again."),
    "approved": N_("The run goes on."),
    "drained": N_("The agent starts no more runs."),
    "forgotten": N_("The agent is forgotten."),
    "taken-back": N_("The agent starts runs again."),
    "revoked": N_("The token lets nobody in any more."),
    "ended": N_("That browser is signed out."),
    "user-added": N_("The user is added."),
    "user-changed": N_("The user is changed."),
    "user-locked": N_("The user is let in no more."),
    "user-unlocked": N_("The user is let in again."),
    "user-deleted": N_("The user is deleted."),
    "paused": N_("The schedule is paused."),
    "resumed": N_("The schedule goes on."),
    "saved": N_("The schedule is saved, and in force."),
    "deleted": N_("The schedule is deleted."),
    "rejected": N_("The run is told that it was rejected."),
}


def reason_words(reason: str, translate: Callable[[str], str]) -> str:
    """Why it is so, in the reader's language where it is one of the usual reasons; else as it was given."""
    kind, colon, rest = reason.partition(": ")
    return f"{translate(REASONS[kind])}{colon}{rest}" if kind in REASONS else reason
