"""The schedules that flow files are written with: `from schedulerd.schedules import Cron, Interval`."""

from schedulerd.authoring.schedules import Cron, Interval

__all__ = ["Cron", "Interval"]
