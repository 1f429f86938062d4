"""The schedules that flow files are written with: `from schedulerd.schedules import Cron, Interval, RRule`."""

from schedulerd.authoring.schedules import Cron, Interval, RRule

__all__ = ["Cron", "Interval", "RRule"]
