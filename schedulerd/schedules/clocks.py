"""What names times, under Prefect 1's names: `Schedule(clocks=[CronClock("0 6 * * *")])`."""

from schedulerd.authoring.clocks import Clock, CronClock, DatesClock, IntervalClock, RRuleClock

__all__ = ["Clock", "CronClock", "DatesClock", "IntervalClock", "RRuleClock"]
