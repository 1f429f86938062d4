"""The keys of a schedule file beyond name, flow and time: what each says, and what is said of a slip."""

import os
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from schedulerd.domain.schedules import (
    Blackout,
    BlackoutAction,
    BlackoutSpan,
    BlackoutWindow,
    Cron,
    DayMatch,
    Interval,
    Overlap,
    Policies,
    Reboot,
    RRule,
    ScheduleDefinition,
    Webhook,
    When,
)
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.schedule_files import ScheduleFile, parse_schedule_file
from schedulerd.watch.trust import Trust

HEAD = '[[schedule]]\nname = "a"\nflow = "etl"\n'
CRON, EVERY, AT, REBOOT = (
    'cron = "0 6 * * *"\n',
    'every = "1h"\n',
    'at = "2026-12-01T09:00"\n',
    'cron = "@reboot"\n',
)
NINE = datetime(2026, 1, 1, 9)  # noqa: DTZ001 local


def parse(keys: str, folder: Path = Path("/nowhere")) -> ScheduleFile:
    calendars = CalendarsBeside(folder, Trust(os.geteuid()))
    return parse_schedule_file(HEAD + keys, path="etl.toml", timezone="Asia/Seoul", calendars=calendars)


def only(keys: str, folder: Path = Path("/nowhere")) -> ScheduleDefinition:
    file = parse(keys, folder)
    assert file.errors == ()
    (definition,) = file.definitions
    return definition


def blackout(keys: str, folder: Path = Path("/nowhere")) -> Blackout:
    found = only(EVERY + keys, folder).blackout
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("keys", "when"),
    [
        (
            'cron = "0 6 1 * 1"\nday_match = "both"',
            Cron(expression="0 6 1 * 1", timezone="Asia/Seoul", day_match=DayMatch.BOTH),
        ),
        (
            'every = "15m"\nanchor = 2026-01-01T09:00:00',
            Interval(every=timedelta(minutes=15), timezone="Asia/Seoul", anchor=NINE),
        ),
        (
            'every = "15m"\nanchor = "2026-01-01"',
            Interval(
                every=timedelta(minutes=15),
                timezone="Asia/Seoul",
                anchor=datetime(2026, 1, 1),  # noqa: DTZ001 local
            ),
        ),
        (
            'every = "15m"\nanchor = "2026-01-01T09:00+02:00"',
            Interval(
                every=timedelta(minutes=15),
                timezone="Asia/Seoul",
                anchor=NINE.replace(tzinfo=timezone(timedelta(hours=2))),
            ),
        ),
        (
            'rrule = "FREQ=WEEKLY;BYDAY=FR"\nanchor = "2026-01-01T09:00"\ntimezone = "Europe/Berlin"',
            RRule(expression="FREQ=WEEKLY;BYDAY=FR", timezone="Europe/Berlin", anchor=NINE),
        ),
        ('rrule = "FREQ=DAILY"', RRule(expression="FREQ=DAILY", timezone="Asia/Seoul")),
        (REBOOT, Reboot(timezone="Asia/Seoul")),
        ('cron = " @Reboot "', Reboot(timezone="Asia/Seoul")),
    ],
)
def test_every_kind_can_be_written(keys: str, when: When) -> None:
    assert only(keys).when == when


@pytest.mark.parametrize(
    ("keys", "start", "end"),
    [
        ('start = "2026-12-01T09:00"', "2026-12-01T09:00", None),
        ("start = 2026-12-01", "2026-12-01T00:00", None),
        ("end = 2026-12-31", None, "2026-12-31T23:59:59.999999"),
        ('start = "2026-12-01"\nend = 2026-12-31T18:00:00', "2026-12-01T00:00", "2026-12-31T18:00"),
    ],
)
def test_a_start_begins_with_its_day_and_an_end_ends_with_it(
    keys: str, start: str | None, end: str | None
) -> None:
    definition = only(EVERY + keys)

    assert definition.start == (None if start is None else datetime.fromisoformat(start))
    assert definition.end == (None if end is None else datetime.fromisoformat(end))


def test_jitter_and_a_queue() -> None:
    definition = only(EVERY + 'jitter = "5m"\noverlap = "queue"\nqueue_limit = 3')

    assert definition.jitter == timedelta(minutes=5)
    assert definition.policies == Policies(overlap=Overlap.QUEUE, queue_limit=3)


def test_a_pool_and_a_priority_and_for_a_command_a_limit() -> None:
    (of_flow,) = parse(EVERY + 'pool = "database"\npriority = -5').definitions
    text = '[[schedule]]\nname = "dump"\ncommand = "dump"\nevery = "1h"\nmax_running = 2\npriority = 3\n'
    calendars = CalendarsBeside(Path("/nowhere"), Trust(os.geteuid()))
    (command,) = parse_schedule_file(text, path="a.toml", timezone="UTC", calendars=calendars).definitions

    assert (of_flow.pool, of_flow.priority, of_flow.max_running) == ("database", -5, None)
    assert (command.pool, command.priority, command.max_running) == (None, 3, 2)


def test_a_blackout_of_windows_spans_and_dates() -> None:
    assert blackout(
        """
blackout = [
  { cron = "0 22 * * 5", duration = "2d8h" },
  { from = "2026-12-24T12:00", to = 2026-12-27T00:00:00 },
  { from = 2026-08-01, to = "2026-08-02" },
  { dates = ["2026-12-31", 2026-05-01, "2026-05-01"] },
]
blackout_action = "run-after"
"""
    ) == Blackout(
        windows=(BlackoutWindow(expression="0 22 * * 5", duration=timedelta(days=2, hours=8)),),
        spans=(
            BlackoutSpan(start=datetime(2026, 8, 1), end=datetime(2026, 8, 3)),  # noqa: DTZ001 local
            BlackoutSpan(start=datetime(2026, 12, 24, 12), end=datetime(2026, 12, 27)),  # noqa: DTZ001 local
        ),
        days=(date(2026, 5, 1), date(2026, 12, 31)),
        action=BlackoutAction.RUN_AFTER,
    )


def test_a_blackout_of_calendars_names_what_its_days_come_from(tmp_path: Path) -> None:
    (tmp_path / "days.txt").write_text("2026-05-02\n2026-05-01\n")

    found = blackout('blackout = [{ calendar = "days.txt" }, { holidays = "DE-BY" }]', tmp_path)

    assert found.calendars == ("days.txt", "holidays DE-BY")
    assert {date(2026, 5, 1), date(2026, 5, 2), date(2026, 1, 6)} <= set(found.days)
    assert len(found.days) == len(set(found.days))


HOOK = 'webhook = "deploy"\n'


def test_a_webhook_with_the_name_of_its_secret() -> None:
    definition = only(HOOK + 'secret = "deploy-key"\nparameter = "*"')

    assert definition.when == Webhook(
        hook="deploy", secret="deploy-key", parameter="*", timezone="Asia/Seoul"
    )
    assert definition.policies.overlap is Overlap.ALLOW


@pytest.mark.parametrize(
    ("keys", "line", "reason"),
    [
        (HOOK, 4, "`webhook` needs `secret` beside it"),
        ('webhook = "a/b"\nsecret = "x"', 4, "`webhook` must be a name for its address"),
        ('webhook = ""\nsecret = "x"', 4, "`webhook` is empty"),
        (HOOK + 'secret = "canary key 1"', 5, "`secret` must be the name of a secret, as"),
        (HOOK + 'secret = "x"\nparameter = "a-b"', 6, "`parameter` must be the name of a parameter of"),
        (HOOK + 'secret = "x"\nevery = "1h"', 6, "there is `webhook` and `every`; a schedule has one"),
        (HOOK + 'secret = "x"\njitter = "5m"', 6, "`jitter` means nothing with `webhook`, which has no due"),
        (EVERY + 'secret = "x"', 5, "`secret` goes with `webhook`, and this is a schedule by `every`"),
        (EVERY + 'parameter = "x"', 5, "`parameter` goes with `file` and `webhook`, and this is"),
    ],
)
def test_a_slip_in_a_webhook_is_told_and_never_what_may_be_the_secret(
    keys: str, line: int, reason: str
) -> None:
    file = parse(keys)

    (error,) = file.errors
    assert error.line == line
    assert error.reason.startswith(reason)
    assert "canary" not in error.reason


def test_the_entries_of_a_blackout_may_be_tables_of_their_own() -> None:
    assert blackout('[[schedule.blackout]]\ndates = ["2026-12-31"]').days == (date(2026, 12, 31),)


@pytest.mark.parametrize(
    ("keys", "line", "reason"),
    [
        (EVERY + 'day_match = "both"', 5, "`day_match` goes with `cron`, and this is a schedule by `every`"),
        (CRON + 'day_match = "any"', 5, "`day_match` must be one of either, both"),
        (CRON + 'anchor = "2026-01-01"', 5, "`anchor` goes with `every` and `rrule`, and this is"),
        (AT + 'start = "2026-01-01"', 5, "`start` goes with `cron`, `every` and `rrule`, and this is"),
        (REBOOT + 'jitter = "5m"', 5, "`jitter` means nothing with `@reboot`, which has no due times"),
        (REBOOT + 'catchup = "all"', 5, "`catchup` means nothing with `@reboot`"),
        (REBOOT + 'blackout = [{ holidays = "KR" }]', 5, "`blackout` means nothing with `@reboot`"),
        (EVERY + "queue_limit = 2", 5, '`queue_limit` goes with `overlap = "queue"`; add that, or take'),
        (
            EVERY + 'overlap = "queue"\nqueue_limit = 0',
            6,
            "`queue_limit` must be a whole number from 1 to 10,000",
        ),
        (EVERY + "pool = 2", 5, "`pool` must be the name of a pool: text of at most 100 printable"),
        (EVERY + 'pool = " a"', 5, "`pool` must be the name of a pool"),
        (EVERY + "priority = 1001", 5, "`priority` must be a whole number from -1,000 to 1,000; higher"),
        (EVERY + "priority = true", 5, "`priority` must be a whole number"),
        (EVERY + "max_running = 0", 5, "`max_running` is for a `command`; a flow says it in its file"),
        (EVERY + 'jitter = "0s"', 5, "`jitter` must be longer than nothing"),
        (EVERY + 'jitter = "-5m"', 5, "`jitter`: a duration is written like"),
        (EVERY + 'jitter = "3d"', 5, "`jitter`: jitter delays by less than itself"),
        (EVERY + "jitter = 30", 5, "`jitter` must be a duration in quotes"),
        (EVERY + 'start = "2026-12-02"\nend = "2026-12-01"', 6, "`end`: the end comes before the start"),
        (CRON + 'start = "2026-12-01T07:00"\nend = "2026-12-01T08:00"', 6, "`end`: it is never due from"),
        ('cron = "0 6 * * * 2026"\n', 4, "`cron`: "),
        ('at = "2026-12-01T09:00:00Z"', 4, "`at` is a local time"),
        ('at = "2026-12-01"', 4, "`at` must be a date and time"),
        (EVERY + 'start = "tomorrow"', 5, "`start` is no date and time: 'tomorrow'; write it like"),
        (EVERY + "start = 2026-01-01T00:00:00Z", 5, "`start` is a local time; leave its offset out"),
        (EVERY + "start = 09:00:00", 5, "`start` must be a date and time"),
        (EVERY + 'end = "0001-01-01"', 5, "`end` must lie in the years 1970 to 2199"),
        (EVERY + "anchor = true", 5, "`anchor` must be a date and time"),
        ('rrule = "FREQ=SOMETIMES"', 4, "`rrule`: FREQ: 'SOMETIMES' is not one of YEARLY"),
        ('rrule = "FREQ=DAILY;COUNT=3"', 4, "`rrule`: COUNT: "),
        ('rrule = "FREQ=DAILY"\nanchor = "2026-01-01T09:00Z"', 5, "`anchor` is a local time"),
        (EVERY + 'blackout_action = "skip"', 5, "`blackout_action` without `blackout` means nothing"),
        (EVERY + "blackout = []", 5, "`blackout` is empty"),
        (EVERY + 'blackout = "KR"', 5, "`blackout` must be a list of tables, such as"),
        (EVERY + "blackout = [1]", 5, "`blackout` must be a list of tables"),
        (EVERY + "[schedule.blackout]\ndates = []", 5, "`blackout` must be a list of tables"),
        (
            EVERY + 'blackout = [{ dates = [2026-01-01] }]\nblackout_action = "x"',
            6,
            "`blackout_action` must be",
        ),
    ],
)
def test_a_slip_is_told_with_its_line_and_reason(keys: str, line: int, reason: str) -> None:
    file = parse(keys)

    (error,) = file.errors
    assert error.line == line
    assert error.reason.startswith(reason)
    assert not len(file.definitions)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{}", "it is empty; name times in it"),
        ('{ form = "2026-01-01", to = "2026-01-02" }', "unknown key 'form'; did you mean 'from'?"),
        (
            '{ cron = "0 25 * * *", duration = "1h" }',
            "`cron`: hour: '25' is not one of 0-23\n0 25 * * *\n  ^^",
        ),
        ('{ cron = "@reboot", duration = "1h" }', "`cron`: @reboot is not known"),
        ('{ cron = "0 22 * * 5" }', "`cron` needs `duration` beside it"),
        ('{ duration = "1h" }', "`duration` needs `cron` beside it"),
        ('{ cron = "0 22 * * 5", duration = "0s" }', "`duration` must be longer than nothing"),
        ('{ cron = "0 22 * * 5", duration = 3 }', "`duration` must be a duration in quotes"),
        ('{ cron = "0 22 * * 5", to = "2026-01-01" }', "`to` does not go with `cron`; make an entry of each"),
        ('{ from = "2026-01-03", to = "2026-01-02" }', "`to` does not lie after `from`"),
        ('{ from = "2026-01-03T00:00Z", to = "2026-01-04" }', "`from` is a local time"),
        ('{ dates = "2026-01-02" }', "`dates` must be a list of dates, such as"),
        ('{ dates = ["2026-02-30"] }', "`dates`: '2026-02-30' is no date; write it like 2026-12-31"),
        ("{ dates = [2026-01-01T00:00:00] }", "`dates`: '2026-01-01 00:00:00' is no date"),
        ("{ dates = [0001-01-01] }", "`dates` must lie in the years 1970 to 2199"),
        ('{ holidays = "XX" }', "`holidays`: no holidays are known of a country 'XX'"),
        ("{ holidays = true }", "`holidays` must be text in quotes"),
        ('{ calendar = "closed.ics" }', "`calendar`: there is no closed.ics in "),
        (
            '{ calendar = "../closed.ics" }',
            "`calendar`: '../closed.ics' is not the name of an .ics or .txt file",
        ),
    ],
)
def test_a_slip_in_a_blackout_is_told_with_the_line_of_its_entry(entry: str, reason: str) -> None:
    file = parse(EVERY + f'blackout = [\n  {{ dates = ["2026-12-31"] }},\n  # or\n  {entry},\n]')

    (error,) = file.errors
    assert error.line == 8
    assert error.reason.startswith(f"`blackout`, entry 2: {reason}")


def test_windows_that_leave_no_time_free_are_refused() -> None:
    (error,) = parse(EVERY + 'blackout = [{ cron = "0 * * * *", duration = "1h" }]').errors

    assert error.line == 5
    assert error.reason.startswith("`blackout`: ")
    assert "blackout: blackout" not in error.reason


def test_a_broken_calendar_is_told_once_and_costs_the_schedules_that_name_it(tmp_path: Path) -> None:
    (tmp_path / "days.txt").write_text("soon\n")
    named = 'blackout = [{ calendar = "days.txt" }]\n'
    others = "".join(f'[[schedule]]\nname = "{name}"\nflow = "etl"\n{EVERY}' for name in ("b", "c"))

    file = parse(EVERY + named + others + named, tmp_path)

    (error,) = file.errors
    assert (error.file, error.line) == (str(tmp_path / "days.txt"), 1)
    assert [definition.name for definition in file.definitions] == ["b"]
    assert file.broken == {"a", "c"}
    assert not file.unread
