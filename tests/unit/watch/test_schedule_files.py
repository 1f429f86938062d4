"""Schedule files: what an entry means, what is said of a bad one, and which entries are in force."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.schedules import Catchup, Cron, Interval, Once, Overlap, Policies, ScheduleDefinition
from schedulerd.watch.calendars import CalendarsBeside
from schedulerd.watch.schedule_files import (
    ScheduleFile,
    SchedulesInForce,
    in_force,
    parse_schedule_file,
    read_schedule_file,
    remembered,
)
from schedulerd.watch.trust import Trust

REPOSITORY = Path(__file__).parents[3]


def parse(text: str, path: str = "etl.toml", folder: Path = REPOSITORY) -> ScheduleFile:
    calendars = CalendarsBeside(folder, Trust(os.geteuid()))
    return parse_schedule_file(text, path=path, timezone="Asia/Seoul", calendars=calendars)


def entry(name: str = "one", **keys: str) -> str:
    keys = {"name": f'"{name}"', "flow": '"etl"', "every": '"15m"'} | keys
    return "[[schedule]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def only(text: str) -> ScheduleDefinition:
    file = parse(text)
    assert file.errors == ()
    (definition,) = file.definitions
    return definition


def names(definitions: Iterable[ScheduleDefinition]) -> list[str]:
    return [definition.name for definition in definitions]


def test_the_schedules_of_this_repository_are_good() -> None:
    (file,) = [
        read_schedule_file(path, timezone="UTC")
        for path in (REPOSITORY / "config" / "schedules").glob("*.toml")
    ]

    assert file.errors == ()
    (definition,) = file.definitions
    assert (definition.flow, definition.when) == ("ETL-pipeline", Interval(every=timedelta(seconds=15)))


def test_the_examples_in_the_comments_of_this_repository_are_good() -> None:
    text = (REPOSITORY / "config" / "schedules" / "etl.toml").read_text()
    shown = "\n".join(
        line.removeprefix("# ") if " = " in line or "[[" in line else line for line in text.splitlines()
    )

    file = parse(shown)

    assert file.errors == ()
    assert len(file.definitions) == 4


def test_an_entry_with_everything() -> None:
    definition = only(
        """
[[schedule]]
name = "etl-morning"
flow = "ETL-pipeline"
cron = "0 6 * * *"
timezone = "Europe/Berlin"
parameters = { region = "kr", rows = [1, 2.5], day = 2026-01-02, at = { t = 09:00:00, m = 2026-01-02T03:04:05Z } }
enabled = false
catchup = "all"
catchup_limit = 7
catchup_window = "2d"
misfire_grace = "90s"
overlap = "allow"
"""
    )

    assert definition == ScheduleDefinition(
        name="etl-morning",
        flow="ETL-pipeline",
        when=Cron(expression="0 6 * * *", timezone="Europe/Berlin"),
        parameters={
            "region": "kr",
            "rows": [1, 2.5],
            "day": "2026-01-02",
            "at": {"t": "09:00:00", "m": "2026-01-02T03:04:05+00:00"},
        },
        policies=Policies(
            catchup=Catchup.ALL,
            catchup_limit=7,
            catchup_window=timedelta(days=2),
            misfire_grace=timedelta(seconds=90),
            overlap=Overlap.ALLOW,
        ),
        enabled=False,
        origin="etl.toml:2",
    )


def test_an_entry_with_little_takes_the_time_zone_of_the_settings_and_the_usual_policies() -> None:
    definition = only('[[schedule]]\nname = "b"\ncommand = "date"\nevery = "15m"')

    assert definition == ScheduleDefinition(
        name="b",
        command="date",
        when=Interval(every=timedelta(minutes=15), timezone="Asia/Seoul"),
        origin="etl.toml:1",
    )


@pytest.mark.parametrize("at", ['"2026-12-01T09:00"', '"2026-12-01 09:00:00"', "2026-12-01T09:00:00"])
def test_a_single_time_is_local_in_the_zone_of_the_schedule(at: str) -> None:
    definition = only(f'[[schedule]]\nname = "x"\nflow = "f"\nat = {at}')

    assert definition.when == Once(at=datetime(2026, 12, 1, 9, 0), timezone="Asia/Seoul")  # noqa: DTZ001 local


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (
            '[[schedule]]\nname = "a"\nflow = "f"\n\ncorn = "0 6 * * *"',
            5,
            "unknown key 'corn'; did you mean 'cron'?",
        ),
        (
            '[[schedule]]\nname = "a"\nflow = "f"',
            1,
            "there is none of `cron`, `every`, `at`, `rrule`, `after`, `file` and `webhook`",
        ),
        (entry(cron='"0 6 * * *"'), 5, "there is `every` and `cron`; a schedule has one of them"),
        (entry(command='"date"'), 5, "there is both `flow` and `command`"),
        ('[[schedule]]\nname = "a"\nevery = "1m"', 1, "there is neither `flow` nor `command`"),
        ('[[schedule]]\nflow = "a"\nevery = "1m"', 1, "the schedule has no name"),
        ("[[schedule]]\n", 1, "the schedule is empty"),
        ('[[schedule]]\nname = ""', 2, "`name` is empty"),
        (
            entry(timezone='"Asia/Soul"'),
            5,
            "`timezone`: there is no time zone 'Asia/Soul'; did you mean Asia/Seoul",
        ),
        (entry(timezone="9"), 5, "`timezone` must be text in quotes"),
        (entry(every="15"), 4, '`every` must be a duration in quotes, such as "15m"'),
        (entry(every='"soon"'), 4, "`every`: "),
        (entry(every='"500ms"'), 4, "`every`: "),
        (entry(parameters='"x"'), 5, "`parameters` must be a table"),
        (entry(parameters="{ x = nan }"), 5, "`parameters`: nan is not a number"),
        (entry() + "[schedule.parameters]\nx = inf", 5, "`parameters`: inf is not a number"),
        (entry(enabled='"yes"'), 5, "`enabled` must be true or false"),
        (entry(flow="1"), 3, "`flow` must be text in quotes"),
        (entry(flow='" "'), 3, "`flow` is empty"),
        (entry(catchup='"last"'), 5, "`catchup` must be one of latest, all, none"),
        (entry(overlap="1"), 5, "`overlap` must be one of skip, queue, allow, replace"),
        (entry(overlap="[]"), 5, "`overlap` must be one of skip, queue, allow, replace"),
        (entry(catchup_limit="true"), 5, "`catchup_limit` must be a whole number from 1 to 10,000"),
        (entry(catchup_limit="10001"), 5, "`catchup_limit` must be a whole number from 1 to 10,000"),
        (entry(catchup_limit="9" * 30), 5, "`catchup_limit` must be a whole number from 1 to 10,000"),
        (entry(catchup_limit="0"), 5, "`catchup_limit` must be a whole number from 1 to 10,000"),
        ('[[schedule]]\nname = "a\\n"\nflow = "f"\nevery = "1m"', 2, "`name` must be at most 200 printable"),
        ('[[schedule]]\nname = "a"\nflow = "f"\nat = "noon"', 4, "`at` is no date and time: 'noon'"),
        ('[[schedule]]\nname = "a"\nflow = "f"\nat = 2026-12-01', 4, "`at` must be a date and time"),
        ('[[schedule]]\nname = "a"\nflow = "f"\nat = 2026-12-01T09:00:00Z', 4, "`at` is a local time"),
        (
            '[[schedule]]\nname = "a"\ncommand = "date"\nevery = "1m"\nparameters = {}',
            5,
            "a command has no `parameters`",
        ),
        ('[[schedule]]\nname = "a"\ncommand = "a\\u0000"\nevery = "1m"', 3, "`command` must have at most"),
        ('[schedule]\nname = "a"', 1, "a schedule begins with [[schedule]], in double brackets"),
        ('[[schedul]]\nname = "a"', 1, "unknown key 'schedul'; did you mean [[schedule]]?"),
        ('\nname = "a"', 2, "unknown key 'name'; it must stand under a [[schedule]]"),
        ("zzz = 1", 1, "unknown key 'zzz'"),
        ("schedule = [1]", 1, "the schedule is empty"),
        ('[[schedule]]\nname = "a"\nname = "b"', 3, "not TOML: Cannot overwrite a value"),
        ('[[schedule]]\nname = "a', 2, "not TOML: "),
        ("schedule = [" + "{}," * 10_001 + "]", 1, "has more than 10000 schedules"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_reason(text: str, line: int, reason: str) -> None:
    file = parse(text)

    (error,) = file.errors
    assert (error.file, error.line) == ("etl.toml", line)
    assert reason in error.reason
    assert not len(file.definitions)


def test_a_bad_cron_expression_has_a_caret_under_its_token() -> None:
    file = parse('[[schedule]]\nname = "a"\nflow = "f"\ncron = "0 25 * * *"')

    (error,) = file.errors
    assert error.line == 4
    assert error.reason.startswith("`cron`: ")
    assert error.reason.endswith("\n0 25 * * *\n  ^^")


def test_a_bad_entry_costs_only_itself() -> None:
    file = parse(entry("one") + entry("two", every='"never"') + entry("three") + entry("four", zone="1"))

    assert names(file.definitions) == ["one", "three"]
    assert [error.line for error in file.errors] == [8, 17]
    assert file.broken == {"two", "four"}
    assert not file.unread


def test_a_name_that_stands_twice_belongs_to_the_first() -> None:
    file = parse(entry("one", flow='"a"') + entry("one", flow='"b"'))

    assert [definition.flow for definition in file.definitions] == ["a"]
    assert [(error.line, error.reason) for error in file.errors] == [
        (6, "the name 'one' stands twice in this file"),
    ]
    assert file.broken == frozenset()


def test_a_file_without_schedules_is_good() -> None:
    file = parse("# nothing yet\n")

    assert (len(file.definitions), file.errors, file.unread) == (0, (), False)


def read(path: Path, **more: Any) -> ScheduleFile:
    return read_schedule_file(path, timezone="UTC", **more)


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"a = 1\n\n# \xff\n", 3, "not TOML: not UTF-8 text"),
        (b"#" * ((1 << 20) + 1), None, "is larger than 1048576 bytes"),
        (b"x = \n", 1, "not TOML: Invalid value"),
        (b"x = 1\0\n", 1, "not TOML: "),
    ],
    ids=["not text", "too large", "not TOML", "a NUL"],
)
def test_a_file_that_is_no_toml_is_one_error(
    tmp_path: Path, content: bytes, line: int | None, reason: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)

    file = read(path)

    (error,) = file.errors
    assert file.unread
    assert (error.file, error.line) == (str(path), line)
    assert reason in error.reason


def test_a_file_that_is_gone_or_no_file_is_one_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")

    assert [error.reason for error in read(tmp_path / "none.toml").errors] == [
        "cannot be read: No such file or directory"
    ]
    assert [error.reason for error in read(tmp_path).errors] == ["cannot be read: Is a directory"]
    assert not len(read(tmp_path / "pipe.toml").definitions)


def test_a_file_that_others_may_write_to_is_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(entry())
    path.chmod(0o666)

    (error,) = read(path).errors

    assert error.reason == "refused: anybody may write to it"
    assert error.mend == f"chmod o-w {path}"


def good(path: str, *definitions: str, bad: str = "") -> ScheduleFile:
    return parse("".join(definitions) + bad, path=path)


def test_a_bad_entry_keeps_its_last_good_version() -> None:
    before = in_force(SchedulesInForce(), [good("a.toml", entry("one"), entry("two"))])

    now = in_force(before, [good("a.toml", entry("one", flow='"new"'), entry("two", every='"x"'))])

    assert [(one.name, one.flow) for one in now.definitions] == [("one", "new"), ("two", "etl")]
    assert [error.line for error in now.errors] == [8]


def test_a_slip_in_double_brackets_does_not_end_a_schedule() -> None:
    before = in_force(SchedulesInForce(), [good("a.toml", entry("one"), entry("two"))])

    now = in_force(before, [good("a.toml", entry("one").replace("schedule", "shedule"), entry("two"))])

    assert sorted(names(now.definitions)) == ["one", "two"]
    assert len(now.errors) == 1


def test_a_file_that_is_no_longer_toml_keeps_its_last_good_version_until_it_is_mended() -> None:
    before = in_force(SchedulesInForce(), [good("a.toml", entry("one"), entry("two"))])

    broken = in_force(before, [good("a.toml", "x = ")])
    still_broken = in_force(broken, [good("a.toml", "y = ")])
    mended = in_force(still_broken, [good("a.toml", entry("two"))])

    assert names(still_broken.definitions) == ["one", "two"]
    assert len(still_broken.errors) == 1
    assert (names(mended.definitions), mended.errors) == (["two"], ())


def test_an_entry_that_is_gone_is_gone_and_so_is_a_file() -> None:
    before = in_force(
        SchedulesInForce(), [good("a.toml", entry("one"), entry("two")), good("b.toml", entry("three"))]
    )

    assert names(in_force(before, [good("a.toml", entry("two"))]).definitions) == ["two"]


def test_a_bad_entry_that_never_was_good_is_not_in_force() -> None:
    now = in_force(SchedulesInForce(), [good("a.toml", entry("one", every='"x"'))])

    assert now.definitions == ()
    assert len(now.errors) == 1


def test_a_name_belongs_to_the_first_file_by_path() -> None:
    files = [good("b.toml", entry("one", flow='"b"'), entry("two")), good("a.toml", entry("one", flow='"a"'))]

    now = in_force(SchedulesInForce(), files)

    assert [(one.name, one.flow) for one in now.definitions] == [("one", "a"), ("two", "etl")]
    assert [str(error) for error in now.errors] == ["b.toml:1: the name 'one' is taken by a.toml:1"]


def test_a_name_that_its_file_gives_up_goes_to_the_next() -> None:
    second = good("b.toml", entry("one", flow='"b"'))
    before = in_force(SchedulesInForce(), [good("a.toml", entry("one", flow='"a"')), second])

    now = in_force(before, [good("a.toml", entry("two")), second])

    assert [(one.name, one.flow) for one in now.definitions] == [("two", "etl"), ("one", "b")]
    assert now.errors == ()


def test_what_was_stored_counts_as_the_last_good_version() -> None:
    stored = parse(entry("one") + entry("two"), path="/x:y/a.toml").definitions

    now = in_force(remembered(stored), [good("/x:y/a.toml", "broken = ")])

    assert names(now.definitions) == ["one", "two"]
