"""Schedules in a flow file: plain values. What they mean, and whether they are valid, is the daemon's to say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta
    from typing import Any


class Schedule:
    """When a flow is to run, with which parameters. Equal to another that says the same."""

    kind = ""

    def __init__(
        self, *, timezone: str | None, name: str | None, parameters: Mapping[str, Any] | None
    ) -> None:
        self.timezone = timezone
        self.name = name
        self.parameters = dict(parameters or {})

    def describe(self) -> dict[str, Any]:
        """The schedule as a dict; JSON-able when its parameters are."""
        return {
            "kind": self.kind,
            "timezone": _text(self.timezone),
            "name": self.name,
            "parameters": self.parameters,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    def __repr__(self) -> str:
        said = {
            key: value for key, value in self.describe().items() if key != "kind" and value not in (None, {})
        }
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in said.items())})"


class Cron(Schedule):
    """By a cron expression, in a time zone (the daemon's, when none is given)."""

    kind = "cron"

    def __init__(
        self,
        cron: str,
        timezone: str | None = None,
        *,
        name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(timezone=timezone, name=name, parameters=parameters)
        self.cron = cron

    def describe(self) -> dict[str, Any]:
        """The schedule as a dict; JSON-able when its parameters are."""
        return {**super().describe(), "cron": self.cron}


class Interval(Schedule):
    """Every so often: a timedelta, a number of seconds, or a text such as "15m"."""

    kind = "interval"

    def __init__(
        self,
        interval: timedelta | float | str,
        anchor: datetime | str | None = None,
        timezone: str | None = None,
        *,
        name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(timezone=timezone, name=name, parameters=parameters)
        self.interval = interval
        self.anchor = anchor

    def describe(self) -> dict[str, Any]:
        """The schedule as a dict, `every` in seconds or as the text given; JSON-able when its parameters are."""
        seconds = getattr(self.interval, "total_seconds", None)
        every = self.interval if seconds is None else seconds()
        return {**super().describe(), "every": every, "anchor": _text(self.anchor)}


def schedules_of(given: Schedule | Iterable[Schedule] | None) -> tuple[Schedule, ...]:
    """None, one schedule or several, as a tuple; raises `TypeError` for what is none."""
    if given is None:
        return ()
    several = tuple(given) if isinstance(given, list | tuple) else (given,)
    for schedule in several:
        if not isinstance(schedule, Schedule):
            raise TypeError(f"a schedule is made with Cron(...) or Interval(...), it is not {schedule!r}")
    return several


def _text(given: object) -> str | None:
    """A zone, a moment or a text as text."""
    if given is None:
        return None
    return given.isoformat() if hasattr(given, "isoformat") else str(given)
