"""The schedules that flow files are written with: `from schedulerd.schedules import Cron, Interval, RRule`.

And those of Prefect 1 and 2: `CronSchedule`, `IntervalSchedule`, `RRuleSchedule`, `Schedule(clocks=[...])`.
"""

from __future__ import annotations

from schedulerd.authoring.schedules import After, Cron, FileAppears, Interval, RRule, Webhook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from schedulerd.authoring.clocks import ClockSchedule as Schedule
    from schedulerd.authoring.clocks import cron_schedule as CronSchedule  # noqa: N812  Prefect's names
    from schedulerd.authoring.clocks import interval_schedule as IntervalSchedule  # noqa: N812
    from schedulerd.authoring.clocks import rrule_schedule as RRuleSchedule  # noqa: N812

__all__ = [
    "After",
    "Cron",
    "CronSchedule",
    "FileAppears",
    "Interval",
    "IntervalSchedule",
    "RRule",
    "RRuleSchedule",
    "Schedule",
    "Webhook",
]

# Loaded when they are asked for: they need datetime, which flow files can do without.
_LATE = {
    "CronSchedule": "cron_schedule",
    "IntervalSchedule": "interval_schedule",
    "RRuleSchedule": "rrule_schedule",
    "Schedule": "ClockSchedule",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        from schedulerd.authoring.prefect_names import not_there

        raise not_there("schedulerd.schedules", name, has=__all__)
    from schedulerd.authoring import clocks

    return getattr(clocks, _LATE[name])
