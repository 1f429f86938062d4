"""Comparison with `systemd-analyze calendar`, on what it can express, away from days on which clocks change.

It knows no "either day", so only one of the day fields restricts here, or one of them begins with a star.
"""

import os
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from schedulerd.domain.cron import parse_cron
from schedulerd.domain.cron_tokens import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Field
from schedulerd.domain.due import dues
from schedulerd.domain.schedules import Cron
from schedulerd.domain.zones import changes, zone
from schedulerd.errors import BadExpression
from tests.requirements import missing
from tests.unit.domain.made_up import a_field, a_weekday

SEED: Final = 20_260_329
CALLS: Final = 10
COMPARED: Final = 60
"""With each call; it takes many expressions, and one moment to start from."""

FIRES: Final = 5
A_DAY: Final = timedelta(days=1)
ZONES: Final = (
    *["UTC"] * 4,
    "Africa/Cairo",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
    "Pacific/Auckland",
)
WEEKDAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_BLOCK: Final = re.compile(r"^Normalized form:", re.MULTILINE)
_GIVEN_UP: Final = re.compile(r"^Failed to determine next elapse for '(.*)'", re.MULTILINE)
_ELAPSE: Final = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")

pytestmark = pytest.mark.systemd


@pytest.mark.parametrize("call", range(CALLS))
def test_systemd_agrees_on_days_on_which_no_clocks_change(call: int) -> None:
    need_systemd()
    chance = random.Random(SEED + call)
    start = datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randint(0, 25 * 525_600))
    cases = [Cron(expression=an_expression(chance), timezone=chance.choice(ZONES)) for _ in range(COMPARED)]

    theirs = elapses([calendar_spec(case) for case in cases], start)

    for case, other in zip(cases, theirs, strict=True):
        until = other[-1] if other else start
        assert plain(ours(case, start, until), case.timezone) == plain(other, case.timezone), (case, start)
    assert sum(map(len, theirs)) > 0.95 * COMPARED * FIRES, (
        "systemd gives up after a thousand steps, but seldom"
    )


@pytest.mark.parametrize(
    ("expression", "spec"),
    [
        ("*/5 * * * *", "*-*-* *:0/5:00 UTC"),
        ("0,30 9-17 * * 1-5", "Mon,Tue,Wed,Thu,Fri *-*-* 9..17:0,30:00 UTC"),
        ("0 0 */10 4/3 *", "*-4/3-1,11,21,31 0:0:00 UTC"),
        ("0 0 L * *", "*-*~1 0:0:00 UTC"),
        ("0 0 * * 5#2", "Fri *-*-8..14 0:0:00 UTC"),
        ("0 0 * * 5L", "Fri *-*~7/1 0:0:00 UTC"),
    ],
)
def test_an_expression_is_told_to_systemd_in_its_own_way(expression: str, spec: str) -> None:
    assert calendar_spec(Cron(expression=expression)) == spec


def test_systemd_leaves_out_what_a_gap_leaves_out_and_ours_does_not() -> None:
    """The difference that `plain` leaves aside: it is still there."""
    need_systemd()
    case, start = (
        Cron(expression="30 2 * * *", timezone="Europe/Berlin"),
        datetime(2026, 3, 28, 6, tzinfo=UTC),
    )

    (other,) = elapses([calendar_spec(case)], start)

    assert other[0] == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert ours(case, start, other[0]) == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC), other[0]]


def need_systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd", "there is no systemd-analyze to compare due times with")
    if not Path("/usr/share/zoneinfo/Europe/Berlin").exists():
        missing("systemd", "it finds no time zones: the machine has no tzdata")


def an_expression(chance: random.Random) -> str:
    """Five fields whose days systemd can express, and that fire now and then."""
    while True:
        expression = " ".join(
            [
                a_field(chance, 0, 59, star=0.3),
                a_field(chance, 0, 23, star=0.4),
                *some_days(chance),
            ]
        )
        try:
            parse_cron(expression)
        except BadExpression:
            continue
        return expression


def some_days(chance: random.Random) -> tuple[str, str, str]:
    month = a_field(chance, 1, 12, star=0.7)
    counted = f"{chance.randint(0, 7)}{chance.choice(['#1', '#2', '#3', '#4', 'L'])}"
    return chance.choice(
        [
            (a_field(chance, 1, 28, star=0.1), month, "*"),
            ("*", month, a_weekday(chance)),
            (f"*/{chance.randint(1, 5)}", month, a_weekday(chance)),
            ("L", month, "*"),
            ("*", "*", counted),
        ]
    )


def calendar_spec(when: Cron) -> str:
    """The same for `OnCalendar=`."""
    minute, hour, day, month, weekday = when.expression.split()
    days = f"-{component(day, DAY)}" if day != "L" else "~1"
    if "#" in weekday:
        nth = int(weekday[-1])
        days = f"-{nth * 7 - 6}..{nth * 7}"
    elif weekday.endswith("L"):
        days = "~7/1"
    date = f"*-{component(month, MONTH)}{days}"
    time = f"{component(hour, HOUR)}:{component(minute, MINUTE)}:00"
    return " ".join([*weekday_names(when.expression), date, time, when.timezone])


def weekday_names(expression: str) -> list[str]:
    """Names one by one, because systemd knows no steps of weekdays; none for every day."""
    fields = parse_cron(expression)
    weekdays = {weekday for weekday, _ in fields.nth_weekdays} or fields.weekdays
    named = ",".join(WEEKDAYS[weekday] for weekday in sorted(weekdays))
    return [] if fields.token(WEEKDAY) == "*" else [named]


def component(token: str, field: Field) -> str:
    """A field of numbers: `*/5` is `0/5` or `1/5`, `1-5` is `1..5`."""
    return ",".join(component_item(item, field) for item in token.split(","))


def component_item(item: str, field: Field) -> str:
    """A step up to the end of the field is spelled out where it does not come out even: systemd goes on past the end
    then, and loses the first time of the next day (`*:0/40`); and it refuses one that leads nowhere (`59/15`)."""
    values, _, step = item.replace("*/", f"{field.low}/").partition("/")
    low, _, high = values.partition("-")
    if not step or (
        not high and (field.high + 1 - int(low)) % int(step) == 0 and int(low) + int(step) <= field.high
    ):
        return item.replace("*/", f"{field.low}/").replace("-", "..")
    return ",".join(str(value) for value in range(int(low), int(high or field.high) + 1, int(step)))


def elapses(specs: list[str], start: datetime) -> list[list[datetime]]:
    """When each elapses first after the start, by systemd."""
    options = [f"--iterations={FIRES}", f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC"]
    told = subprocess.run(
        ["systemd-analyze", "calendar", *options, *specs],
        env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    given_up = _GIVEN_UP.findall(told.stderr)
    answered = [spec for spec in specs if spec not in given_up]
    blocks = dict(zip(answered, _BLOCK.split(told.stdout)[1:], strict=True))
    return [
        [datetime.fromisoformat(f"{found}+00:00") for found in _ELAPSE.findall(blocks.get(spec, ""))]
        for spec in specs
    ]


def ours(when: Cron, start: datetime, until: datetime) -> list[datetime]:
    return [due.at for due in dues(when, after=start, until=until, first_seen=start, name="")]


def plain(moments: list[datetime], name: str) -> list[datetime]:
    """Those that lie on days on which the clocks do not change, nor on the day before or after."""
    return [
        moment for moment in moments if not any(changes(zone(name), start=moment - A_DAY, end=moment + A_DAY))
    ]
