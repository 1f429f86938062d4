"""`explain`: what an expression means, and when it fires."""

import json

import click
import pytest

from schedulerd.cli.commands import global_options
from schedulerd.domain.schedules import Cron
from schedulerd.domain.wording import LANGUAGES
from tests.cli.scenes import Project
from tests.cli.test_schedules import put


def test_explain_says_in_words_what_an_expression_means(project: Project) -> None:
    shown = project.call("explain", "30 2 * * *", "--tz", "Europe/Berlin").stdout.splitlines()

    assert shown[0] == "At 02:30 every day, Europe/Berlin time"
    assert [line.split()[0] for line in shown[1:]] == ["next"] * 5 + ["note"] * 2
    assert "Mon 2026-11-23 02:30:00 CET  01:30Z" in shown[1]
    assert "dst-gap" in shown[6]
    assert "dst-fold" in shown[7]


def test_an_explanation_in_json_has_words_notes_and_fires(project: Project) -> None:
    shown = json.loads(project.call("explain", "*/7 * * * *", "-n", "2", "-o", "json").stdout)

    assert list(shown) == ["expression", "when", "text", "notes", "fires"]
    assert [note["code"] for note in shown["notes"]] == ["uneven-step"]
    assert [fire["at"] for fire in shown["fires"]] == ["2026-11-22T06:07:00.000Z", "2026-11-22T06:14:00.000Z"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [("90m", "Every 90 minutes, UTC"), ("2026-12-01T09:00", "Once, on 1 December 2026")],
)
def test_durations_and_single_times_are_explained_too(project: Project, expression: str, words: str) -> None:
    assert project.call("explain", expression).stdout.startswith(words)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("FREQ=MONTHLY;BYDAY=2FR;BYHOUR=9", "Every month on the second Friday at 09:00, UTC"),
        ("rrule:freq=daily", "Every day at 00:00, UTC"),
        ("DTSTART:20260105T093000 RRULE:FREQ=WEEKLY", "Every week on Monday at 09:30, from 5 January 2026"),
        ("@reboot", "Once after each start of the machine\n  next  when the machine starts"),
        ("1h 30m", "Every 90 minutes, UTC"),
        ("@daily", "At 00:00 every day, UTC"),
    ],
)
def test_every_kind_of_expression_is_explained(project: Project, expression: str, words: str) -> None:
    assert project.call("explain", expression).stdout.startswith(words)


def test_an_explanation_can_be_had_in_korean(project: Project) -> None:
    shown = project.call("--lang", "ko", "explain", "30 2 * * *", "--tz", "Europe/Berlin", "-n", "1").stdout

    words, fire, gap, fold = shown.splitlines()
    assert words == "매일 02:30 (Europe/Berlin)"
    assert "월 2026-11-23 02:30:00 CET  01:30Z" in fire
    assert "구간을 건너뜁니다" in gap
    assert "첫 번째에만 실행됩니다" in fold


def test_what_the_clocks_do_to_a_fire_is_said_in_korean_too(project: Project) -> None:
    project.add_flow()
    put(project, "a", when=Cron(expression="30 2 28 3 *", timezone="Europe/Berlin"))
    put(project, "b", when=Cron(expression="30 2 31 10 *", timezone="Europe/Berlin"))

    fires = json.loads(project.call("next", "-n", "2", "-o", "json", "--lang", "ko").stdout)
    shown = project.call("schedules", "show", "a", "--lang", "ko").stdout

    assert [fire["note"] for fire in fires] == [
        "dst-gap: 이날 없는 시각 02:30",
        "dst-fold: 두 번 있는 02:30 중 첫 번째",
    ]
    assert "매년 3월 28일 02:30 (Europe/Berlin)" in shown


def test_a_language_that_there_is_not_is_a_usage_error(project: Project) -> None:
    assert project.call("explain", "* * * * *", "--lang", "tlh").exit_code == 2


def test_the_languages_of_the_command_line_are_those_that_there_are() -> None:
    (option,) = (one for one in global_options(hidden=False) if one.name == "lang")

    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == LANGUAGES


def test_a_fire_on_another_day_in_utc_says_which(project: Project) -> None:
    shown = project.call("explain", "0 0 * * *", "--tz", "Asia/Seoul", "-n", "1").stdout

    assert "Mon 2026-11-23 00:00:00 KST  2026-11-22 15:00Z" in shown


def test_an_expression_whose_years_are_over_is_told_to_fire_never_again(project: Project) -> None:
    result = project.call("explain", "0 0 6 * * * 2020")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        "  note  never         it never fires again; the last time was 2020-12-31 06:00"
    ]


@pytest.mark.parametrize(
    ("expression", "says", "carets"),
    [
        ("월 25 * * *", "minute: '월' is not one of 0-59", "^^"),
        ("0\t25 * * *", "hour: '25' is not one of 0-23", " \t^^"),
        ("0 0 30 2 *", "can never fire", "    ^^^^"),
        ("hello", "1 field; a cron expression has 5", "^^^^^"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH: '13' is not one of 1 to 12", " " * 11 + "^" * 10),
        ("FOO=1", "there is no part 'FOO'", "^^^^^"),
        ("15W * * * *", "minute: '15w' is not one of 0-59", "^^^"),
        ("1h 30z", "a duration is written like 15m", "   ^^^"),
        ("2026-13-01T09:00", "no time such as 2026-12-01T09:00", "^" * 16),
        ("@fortnightly", "there are @hourly, @daily", "^" * 12),
    ],
)
def test_a_bad_expression_is_told_what_would_be_allowed(
    project: Project, expression: str, says: str, carets: str
) -> None:
    result = project.call("explain", expression)

    assert result.exit_code == 8
    assert says in result.stderr
    assert result.stderr.splitlines()[-1] == f"  {carets}"


def test_an_invalid_expression_is_marked_where_it_is_wrong(project: Project) -> None:
    result = project.call("explain", "*/5 25 * * *")

    assert result.exit_code == 8
    assert result.stderr.splitlines()[-2:] == ["  */5 25 * * *", "      ^^"]
    assert result.stdout == ""


def test_fires_can_be_asked_for_from_another_moment_on(project: Project) -> None:
    shown = json.loads(
        project.call("explain", "0 0 * * *", "--from", "2027-01-01", "-n", "1", "-o", "json").stdout
    )

    assert shown["fires"][0]["at"] == "2027-01-02T00:00:00.000Z"


def test_a_zone_that_nobody_knows_is_a_usage_error(project: Project) -> None:
    result = project.call("next", "--tz", "Asia/Soul")

    assert result.exit_code == 2
    assert "Asia/Seoul" in result.stderr
