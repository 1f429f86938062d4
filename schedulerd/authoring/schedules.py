"""Schedules in a flow file: plain values. What they mean, and whether they are valid, is the daemon's to say.

They take the options of a schedule file under the same names: `start`, `end`, `jitter`, `catchup` and the others. A
duration may be a text such as "15m", a number of seconds or a timedelta.
"""

from __future__ import annotations

from schedulerd.authoring.options import refuse_unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime, timedelta
    from typing import Any, Literal, Self, TypedDict, Unpack

    Duration = timedelta | float | str

    class Options(TypedDict, total=False):
        """What every kind of schedule takes; `slug` and `active` are Prefect's words for `name` and `enabled`."""

        name: str | None
        slug: str | None
        parameters: Mapping[str, Any] | None
        enabled: bool | None
        active: bool | None
        start: date | str | None
        end: date | str | None
        jitter: Duration | None
        blackout: Iterable[Mapping[str, Any]] | None
        blackout_action: Literal["skip", "run-after"] | None
        catchup: Literal["latest", "all", "none"] | None
        catchup_limit: int | None
        catchup_window: Duration | None
        misfire_grace: Duration | None
        overlap: Literal["skip", "queue", "allow", "replace"] | None
        queue_limit: int | None
        pool: str | None
        priority: int | None
        heartbeat: str | Mapping[str, str] | None


_OPTIONS = (
    *("name", "parameters", "enabled", "start", "end", "jitter", "blackout", "blackout_action"),
    *("catchup", "catchup_limit", "catchup_window", "misfire_grace", "overlap", "queue_limit"),
    *("pool", "priority", "heartbeat"),
)
_ALIASES = {"slug": "name", "active": "enabled"}


class Schedule:
    """When a flow is to run, with which parameters and policies. Equal to another that says the same."""

    def __init__(self, when: Mapping[str, Any], options: Options) -> None:
        kind = type(self).__name__
        refuse_unknown(kind, options, known=(*_OPTIONS, *_ALIASES))
        said: dict[str, Any] = {**options}
        for alias, key in _ALIASES.items():
            if alias in said:
                said[key] = _one_of_two(kind, key, said.get(key), alias, said.pop(alias))
        self._said = {key: _plain(value) for key, value in when.items() if value is not None}
        self._said |= {
            key: _plain(said[key]) for key in _OPTIONS if said.get(key) is not None and key != "parameters"
        }
        self.name: str | None = said.get("name")
        self.parameters: dict[str, Any] = dict(said.get("parameters") or {})

    def describe(self) -> dict[str, Any]:
        """What it says, as a `[[schedule]]` of a schedule file would; JSON-able when its parameters are."""
        return self._said | ({"parameters": self.parameters} if self.parameters else {})

    def saying(self, **more: Any) -> Self:
        """The same that says this besides."""
        made = type(self).__new__(type(self))
        made.name, made.parameters = self.name, self.parameters
        made._said = self._said | {key: _plain(value) for key, value in more.items()}
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schedule) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        shown = self.describe() | (
            {"heartbeat": "…"} if "heartbeat" in self._said else {}
        )  # that is a secret
        said = (f"{key}={value!r}" for key, value in shown.items())
        return f"{type(self).__name__}({', '.join(said)})"


class Cron(Schedule):
    """By a cron expression, in a time zone (the daemon's, when none is given).

    `day_match` says what counts where both day fields are restricted: "either" or "both". `day_or` is Prefect's word
    for it: True is "either".
    """

    def __init__(
        self,
        cron: str,
        timezone: str | None = None,
        *,
        day_match: Literal["either", "both"] | None = None,
        day_or: bool | None = None,
        **options: Unpack[Options],
    ) -> None:
        either_or = None if day_or is None else "either" if day_or else "both"
        match = _one_of_two("Cron", "day_match", day_match, "day_or", either_or)
        super().__init__({"cron": cron, "timezone": timezone, "day_match": match}, options)


class Interval(Schedule):
    """Every so often: the n-th time is anchor + n × interval. `anchor_date` is Prefect's word for `anchor`."""

    def __init__(
        self,
        interval: Duration,
        anchor: datetime | str | None = None,
        timezone: str | None = None,
        *,
        anchor_date: datetime | str | None = None,
        **options: Unpack[Options],
    ) -> None:
        anchor = _one_of_two("Interval", "anchor", anchor, "anchor_date", anchor_date)
        super().__init__({"every": interval, "timezone": timezone, "anchor": anchor}, options)


class RRule(Schedule):
    """By a recurrence rule (RFC 5545), such as "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18". `anchor` is its DTSTART."""

    def __init__(
        self,
        rrule: str,
        timezone: str | None = None,
        anchor: datetime | str | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__({"rrule": rrule, "timezone": timezone, "anchor": anchor}, options)


class After(Schedule):
    """Once for each run of a flow, or of one of several, that has ended in one of `states`: by default `completed`."""

    def __init__(
        self,
        flow: str | Iterable[str],
        states: str | Iterable[str] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__({"after": flow, "states": states}, options)


class FileAppears(Schedule):
    """Once for each file that appears as `pattern` and is complete; the flow is given its path as `parameter`.

    The pattern is a whole path, with wildcards in its last part: "/inbox/*.csv".
    """

    def __init__(self, pattern: str, parameter: str | None = None, **options: Unpack[Options]) -> None:
        super().__init__({"file": pattern, "parameter": parameter}, options)


class Webhook(Schedule):
    """Once for each call of `POST /api/v1/hooks/NAME` that shows the secret which is kept under the name `secret`.

    The flow is given the body of the call as `parameter`, or with "*" each member of it as a parameter of that name.
    """

    def __init__(
        self, hook: str, secret: str, parameter: str | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__({"webhook": hook, "secret": secret, "parameter": parameter}, options)


def schedules_of(given: Schedule | Iterable[Schedule] | None) -> tuple[Schedule, ...]:
    """None, one schedule or several, as a tuple; raises `TypeError` for what is none."""
    if given is None:
        return ()
    listed = tuple(given) if isinstance(given, list | tuple) else (given,)
    # Prefect 1's schedules and clocks stand for several of ours.
    several = tuple([each for one in listed for each in getattr(one, "schedules", (one,))])
    for schedule in several:
        if not isinstance(schedule, Schedule):
            raise TypeError(
                f"a schedule is made with Cron(...), Interval(...) or RRule(...), it is not {schedule!r}"
            )
    return several


def _one_of_two(kind: str, name: str, given: Any, alias: str, other: Any) -> Any:
    """What was given under either name; raises `TypeError` where both were."""
    if given is not None and other is not None:
        raise TypeError(f"{kind}(): {name} and {alias} are the same thing; give one of them")
    return other if given is None else given


def _plain(value: Any) -> Any:
    """The value as JSON has it: moments and zones as text, durations as seconds."""
    if isinstance(value, str | bool | int):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return str(value)
