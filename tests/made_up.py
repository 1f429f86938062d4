"""Made-up schedules for hypothesis: of every kind, in every zone, near the changes of its clocks."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
    Interval,
    Once,
    RRule,
    ScheduleDefinition,
    When,
)
from schedulerd.domain.zones import changes, zone, zone_names

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
YEARS_OF_SECONDS: Final = 40 * 365 * 86_400

zones = st.sampled_from(sorted(zone_names()))
minutes = st.sampled_from(["*", "*/7", "*/15", "30", "0,45", "5-50/15", "H", "0-59"])
hours = st.sampled_from(["*", "*/2", "0", "1-3", "2", "23,0", "22-23"])
days = st.sampled_from(
    ["* * *", "* * *", "13 * 5", "*/2 * 1", "L * *", "15W * *", "* * 5#2", "* */3 0", "29-31 * *"]
)
rules = st.builds(
    lambda frequency, more: f"FREQ={frequency}{more}",
    st.sampled_from(["DAILY", "DAILY;BYHOUR=1,2,23", "WEEKLY;BYDAY=SA,SU", "MONTHLY;BYDAY=-1SU", "HOURLY"]),
    st.sampled_from(
        ["", ";INTERVAL=2", ";BYMINUTE=30", ";BYMINUTE=0,15;INTERVAL=3", ";BYHOUR=2;BYMINUTE=45"]
    ),
).filter(lambda text: text.count("BYHOUR") < 2)


@st.composite
def moments(draw: st.DrawFn, name: str) -> datetime:
    """An instant from 2000 to 2040, more often than not within two days of a change of the zone's clocks."""
    moment = FIRST + timedelta(seconds=draw(st.integers(0, YEARS_OF_SECONDS)))
    if draw(st.integers(0, 3)) == 0:
        return moment
    met = list(changes(zone(name), start=moment, end=moment + timedelta(days=366)))
    if not met:
        return moment
    at = draw(st.sampled_from(met)).at
    return at + timedelta(seconds=draw(st.integers(-2 * 86_400, 86_400)))


@st.composite
def crons(draw: st.DrawFn) -> Cron:
    """An expression that may be fixed or a rhythm, at any hours and days."""
    expression = f"{draw(minutes)} {draw(hours)} {draw(days)}"
    return Cron(expression=expression, timezone=draw(zones))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """An anchored interval, of elapsed time or of days."""
    every = draw(st.sampled_from(["90s", "7m", "1h", "5h", "1d", "2d", "36h"]))
    units = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    length = timedelta(seconds=int(every[:-1]) * units[every[-1]])
    anchor = FIRST + timedelta(seconds=draw(st.integers(0, YEARS_OF_SECONDS)))
    return Interval(every=length, timezone=draw(zones), anchor=anchor)


@st.composite
def rrules(draw: st.DrawFn) -> RRule:
    """A rule that may be fixed or a rhythm, anchored in the first year."""
    anchor = (FIRST + timedelta(seconds=draw(st.integers(0, 365 * 86_400)))).replace(tzinfo=None)
    return RRule(expression=draw(rules), timezone=draw(zones), anchor=anchor)


whens = st.one_of(crons(), crons(), intervals(), rrules())


def local(moment: datetime, timezone: str) -> datetime:
    """What the clock of a zone shows, without the zone."""
    return moment.astimezone(zone(timezone)).replace(tzinfo=None, fold=0)


@st.composite
def blackouts(draw: st.DrawFn, near: datetime, timezone: str) -> Blackout:
    """A blackout with windows, days and spans about a moment; they may touch and overlap."""
    shown = local(near, timezone)
    expressions = st.sampled_from(["0 1 * * *", "30 2 * * *", "*/30 2 * * *", "0 22 * * 1-5", "15 */6 * * *"])
    lengths = st.sampled_from([timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=3)])
    windows = st.builds(BlackoutWindow, expression=expressions, duration=lengths)
    starts = st.integers(-3_000, 3_000).map(lambda n: shown + timedelta(minutes=n))
    spans = starts.flatmap(
        lambda start: st.integers(1, 1_500).map(
            lambda n: BlackoutSpan(start=start, end=start + timedelta(days=1, minutes=n))
        )
    )
    return Blackout(
        windows=tuple(draw(st.lists(windows, max_size=2))),
        days=tuple(draw(st.lists(starts.map(lambda start: start.date()), max_size=2))),
        spans=tuple(draw(st.lists(spans, max_size=1))),
        action=draw(st.sampled_from(BlackoutAction)),
    )


@st.composite
def definitions(draw: st.DrawFn) -> tuple[ScheduleDefinition, datetime]:
    """A definition with any of what bends due times, and a moment at which that is worth a look."""
    when: When = draw(whens)
    near = draw(moments(when.timezone))
    if draw(st.integers(0, 9)) == 0:
        when = Once(
            at=local(near + timedelta(hours=draw(st.integers(-9, 9))), when.timezone), timezone=when.timezone
        )
    sometimes = draw(st.sets(st.sampled_from(["start", "end", "jitter", "blackout"])))
    shown = local(near, when.timezone)
    definition = ScheduleDefinition(
        name="made up",
        when=when,
        flow="etl",
        start=shown + timedelta(hours=draw(st.integers(-9, 20))) if "start" in sometimes else None,
        end=shown + timedelta(hours=draw(st.integers(21, 60))) if "end" in sometimes else None,
        jitter=timedelta(seconds=draw(st.sampled_from([2, 30, 600, 7_200])))
        if "jitter" in sometimes
        else timedelta(),
        blackout=draw(blackouts(near, when.timezone)) if "blackout" in sometimes else None,
    )
    return definition, near
