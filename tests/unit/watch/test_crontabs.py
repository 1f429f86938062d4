"""Crontabs: the schedules that their lines are, and what an error costs."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulerd.domain.schedules import Catchup, Cron, Overlap, Policies, Reboot, ScheduleDefinition
from schedulerd.watch.crontab_lines import Form
from schedulerd.watch.crontab_names import LONGEST_SLUG, slug
from schedulerd.watch.crontab_reading import CRONS_POLICIES, parse_crontab, read_crontab_file
from schedulerd.watch.crontabs import Crontab, Held, Origin, Owner, own_account
from schedulerd.watch.schedule_files import SchedulesInForce, in_force

ORIGIN = Origin(
    path="mine.crontab", prefix="mine", timezone="Europe/Berlin", owner=Owner(name="kim", home="/home/kim")
)


def parse(text: str, **changes: Any) -> Crontab:
    return parse_crontab(text, replace(ORIGIN, **changes))


def only(text: str, **changes: Any) -> ScheduleDefinition:
    crontab = parse(text, **changes)
    assert crontab.errors == ()
    (definition,) = crontab.definitions
    return definition


def names(text: str) -> list[str]:
    return [definition.name for definition in parse(text).definitions]


def test_a_line_is_a_schedule_of_a_command_with_crons_policies() -> None:
    assert only("# nightly\n30 2 * * *  pg_dump mydb | gzip > out.gz\n") == ScheduleDefinition(
        name="mine:pg_dump-mydb",
        when=Cron(expression="30 2 * * *", timezone="Europe/Berlin"),
        command="pg_dump mydb | gzip > out.gz",
        policies=Policies(catchup=Catchup.NONE, overlap=Overlap.ALLOW),
        origin="mine.crontab:2",
        environment={"HOME": "/home/kim"},
    )


def test_variables_count_for_the_lines_after_them() -> None:
    crontab = parse("@daily a\nA=1\n@daily b\nA=2\nHOME=/srv\n@daily c\n")

    assert [dict(one.environment) for one in crontab.definitions] == [
        {"HOME": "/home/kim"},
        {"HOME": "/home/kim", "A": "1"},
        {"HOME": "/srv", "A": "2"},
    ]


def test_logname_cannot_be_set_and_is_said_to_be_so() -> None:
    crontab = parse("LOGNAME=root\n@daily a\n")

    assert crontab.definitions[0].environment == {"HOME": "/home/kim"}
    assert "cannot be set" in crontab.lines[0].note


def test_cron_tz_is_the_zone_of_the_lines_after_it_and_tz_only_a_variable() -> None:
    crontab = parse(
        'TZ=Asia/Tokyo\n@daily a\nCRON_TZ=Asia/Seoul\n@daily b\n@reboot c\nCRON_TZ=""\n@daily d\n'
    )

    assert [one.when.timezone for one in crontab.definitions] == [
        "Europe/Berlin",
        "Asia/Seoul",
        "Asia/Seoul",
        "Europe/Berlin",
    ]
    assert crontab.definitions[0].environment["TZ"] == "Asia/Tokyo"
    assert "CRON_TZ" in crontab.lines[0].note


def test_mailto_is_where_output_is_mailed_and_empty_nowhere() -> None:
    crontab = parse('@daily a\nMAILTO=kim, lee@example.org,\n@daily b\nMAILTO=""\n@daily c\n')

    assert [one.mail_to for one in crontab.definitions] == [None, "kim, lee@example.org", None]


def test_a_random_delay_is_jitter_in_minutes() -> None:
    crontab = parse("RANDOM_DELAY=30\n@daily a\n@reboot b\n")

    assert [one.jitter for one in crontab.definitions] == [timedelta(minutes=30), timedelta()]


def test_reboot_is_once_for_each_start_of_the_machine() -> None:
    assert only("@reboot sync").when == Reboot(timezone="Europe/Berlin")


def test_lines_that_end_as_on_windows_and_a_byte_order_mark_are_understood() -> None:
    assert only("\ufeffA=1\r\n@daily x\r\n").command == "x"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --full >> /var/log/backup.log 2>&1", "backup.sh-full"),
        ("pg_dump mydb | gzip", "pg_dump-mydb"),
        ("cd /srv/app && ./manage.py clearsessions", "manage.py-clearsessions"),
        ("[ -x /usr/bin/certbot ] && certbot -q renew", "certbot-q-renew"),
        ("test -e /run/x || touch /run/x", "touch-x"),
        ("LANG=C TZ=UTC make -C /srv report", "make-C-srv-report"),
        ("cd /srv", "srv"),
        ("curl -s 'https://example.org/ping?a=1&b=2'", "curl-s-ping-a-1"),
        ("백업 --전체", "백업-전체"),
        (":", "command"),
        ("'", "command"),
        (
            "exec nice -n 19 /opt/very/long/folder/a-program-with-a-very-long-name.sh --and --options",
            "nice-n-19",
        ),
    ],
)
def test_a_name_is_made_of_the_command(command: str, name: str) -> None:
    assert slug(command).startswith(name) if command.startswith("exec") else slug(command) == name
    assert len(slug(command)) <= LONGEST_SLUG


def test_the_same_command_again_has_a_number() -> None:
    assert names("@daily x\n0 8 * * * x\n# comment\n@hourly y\n@weekly x\n") == [
        "mine:x",
        "mine:x-2",
        "mine:y",
        "mine:x-3",
    ]


def test_a_name_does_not_change_when_other_lines_come_go_or_break() -> None:
    before = names("@daily a\n@daily b\n@daily b\n")

    assert names("A=1\n@daily c\n0 25 * * * b\n@daily b\n@hourly a\n") == [
        "mine:c", "mine:b-2", "mine:a"
    ]  # fmt: skip
    assert before == ["mine:a", "mine:b", "mine:b-2"]


def test_a_comment_above_a_command_gives_its_name_and_policies() -> None:
    definition = only(
        "#schedulerd:  name='nightly dump' overlap=skip catchup=latest\n# of all\n@daily pg_dump all\n"
    )

    assert definition.name == "nightly dump"
    assert definition.policies == replace(CRONS_POLICIES, overlap=Overlap.SKIP, catchup=Catchup.LATEST)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("0 25 * * * x", 1, "hour: '25' is not one of 0-23\n0 25 * * * x\n  ^^"),
        ("\n\t5\t4 * * fools x", 2, "day of week: 'fools' is not one of 0-7, sun-sat\n 5 4 * * fools x\n         ^^^^^"),
        ("0 0 30 2 * x", 1, "this can never fire"),
        ("@fortnightly x", 1, "@fortnightly is not known; there are @hourly, @daily"),
        ("A=", 1, "no value that can be read"),
        ("CRON_TZ = Asia/Soul", 1, "CRON_TZ: there is no time zone 'Asia/Soul'; did you mean Asia/Seoul or Asia/Oral?\nCRON_TZ = Asia/Soul\n          ^^^^^^^^^"),
        ('MAILTO="a@b, Kim <kim@b>"', 1, "'Kim <kim@b>' is no mail address"),
        ("MAILTO=-oQ/tmp", 1, "'-oQ/tmp' is no mail address"),
        ("MAILTO=kim\rBcc:lee", 1, "is no mail address"),
        ("MAILTO=,", 1, "MAILTO: there is no mail address in it\nMAILTO=,\n       ^"),
        ("RANDOM_DELAY=soon", 1, "RANDOM_DELAY: is no number of minutes from 0 to 1440\nRANDOM_DELAY=soon\n             ^^^^"),
        ("RANDOM_DELAY=1441", 1, "RANDOM_DELAY: is no number of minutes"),
        ("A=" + "x" * 100_001, 1, "A: has more than 100000 bytes"),
        ("@daily " + "x" * 100_001, 1, "the command has more than 100000 bytes"),
        ("# schedulerd: nmae=x\n@daily x", 1, "'nmae' is not known here; did you mean 'name'?\n# schedulerd: nmae=x\n              ^^^^"),
        ("# schedulerd: overlap=maybe\n@daily x", 1, "overlap: 'maybe' is not one of skip, queue, allow, replace"),
        ("# schedulerd: pool=\n@daily x", 1, "pool: '' cannot be the name of a pool"),
        ("# schedulerd: priority=high\n@daily x", 1, "priority: 'high' is not a whole number"),
        ("# schedulerd: priority=2000\n@daily x", 1, "priority: it must be a whole number from -1,000 to 1,000"),
        ("# schedulerd: max_running=0\n@daily x", 1, "max_running: it must be a whole number from 1 to 10,000"),
        ("# schedulerd: name=\n@daily x", 1, "name: a name has 1 to 200 printable characters"),
        ("# schedulerd: name='x\n@daily x", 1, "no closing quotation"),
        ("# schedulerd:\n@daily x", 1, "it says nothing; it may give name, overlap, catchup"),
        ("# schedulerd: name=x\n\n@daily y", 1, "it stands above no command"),
        ("# schedulerd: name=x\nA=1\n", 1, "it stands above no command"),
        ("# schedulerd: name=x", 1, "it stands above no command"),
        ("# schedulerd: catchup=latest\n@reboot x", 2, "catchup, which was given above, means nothing with @reboot"),
        ("# schedulerd: name=x\n# schedulerd: name=y\n@daily y", 1, "it stands above no command"),
        ("# schedulerd: name=x\n@daily x\n# schedulerd: name=x\n@daily y", 3, "the name 'x' stands twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_place_and_what_would_be_allowed(
    text: str, line: int, reason: str
) -> None:
    (error,) = parse(text).errors

    assert (error.file, error.line) == ("mine.crontab", line)
    assert reason in error.reason


def test_a_very_long_line_is_shown_around_the_place() -> None:
    (error,) = parse("* * * * fools " + "x" * 500).errors

    _, line, caret = error.reason.splitlines()
    assert len(line) <= 102
    assert line[caret.index("^") : len(caret)] == "fools"


def test_a_bad_line_costs_only_itself() -> None:
    crontab = parse("@daily a\n* * * * 9 b\n@daily c\n")

    assert [one.command for one in crontab.definitions] == ["a", "c"]
    assert [one.line for one in crontab.errors] == [2]


@pytest.mark.parametrize(
    "bad", ["PATH=", "CRON_TZ=Nowhere", "MAILTO=<a>"], ids=["no value", "no zone", "no address"]
)
def test_no_command_runs_in_another_environment_than_was_meant(bad: str) -> None:
    mended = bad.partition("=")[0] + '=""'
    crontab = parse(f"@daily a\n{bad}\n@daily b\nX=1\n@daily c\n{mended}\n@daily d\n")

    assert [one.command for one in crontab.definitions] == ["a", "d"]
    assert [line.said for line in crontab.lines if isinstance(line.said, Held)] == [Held(by=2), Held(by=2)]
    assert [one.line for one in crontab.errors] == [2]


def test_a_directive_may_say_pool_priority_and_limit() -> None:
    (command,) = parse("# schedulerd: pool=database priority=-3 max_running=1\n@daily x\n").definitions

    assert (command.pool, command.priority, command.max_running) == ("database", -3, 1)


def test_a_command_below_a_bad_directive_waits_and_those_after_it_do_not() -> None:
    crontab = parse("# schedulerd: nom=x\n@daily a\n@daily b\n")

    assert [one.command for one in crontab.definitions] == ["b"]
    assert crontab.lines[1].said == Held(by=1)


def test_a_bad_directive_above_a_bad_line_holds_back_no_other() -> None:
    assert [one.command for one in parse("# schedulerd: nom=x\n* * a\n@daily b\n").definitions] == ["b"]


def test_in_a_system_crontab_only_our_own_user_is_supported() -> None:
    crontab = parse("@daily kim a\n@daily root b\n", form=Form.SYSTEM)

    assert [one.command for one in crontab.definitions] == ["a"]
    (error,) = crontab.errors
    assert error.reason.startswith("runs as root; this version runs commands as the daemon's own user only")
    assert error.reason.endswith("\n@daily root b\n       ^^^^")


def test_a_crontab_of_too_many_lines_is_refused_as_a_whole() -> None:
    with pytest.raises(Exception, match="has more than 10000 schedules"):
        parse("@daily x\n" * 10_001)


# -- files ----------------------------------------------------------------------------------------------------------


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path) -> Any:
    return read_crontab_file(path, timezone="UTC")


def test_a_file_gives_its_name_to_its_schedules(tmp_path: Path) -> None:
    path = write(tmp_path / "nightly.jobs.crontab", "@daily x\n")

    (definition,) = read(path).definitions

    assert (definition.name, definition.origin) == ("nightly.jobs:x", f"{path}:1")
    assert definition.environment == {"HOME": own_account(os.geteuid()).home}


@pytest.mark.parametrize(
    ("content", "mode", "line", "reason"),
    [
        (b"@daily x\n# \xff\n", 0o644, 2, "not a crontab: not UTF-8 text"),
        (b"#" * ((1 << 20) + 1), 0o644, None, "is larger than 1048576 bytes"),
        (b"@daily x\n", 0o666, None, "refused: anybody may write to it"),
    ],
    ids=["not text", "too large", "not trusted"],
)
def test_a_file_that_cannot_be_taken_is_one_error(
    tmp_path: Path, content: bytes, mode: int, line: int | None, reason: str
) -> None:
    path = write(tmp_path / "a.crontab", content)
    path.chmod(mode)

    file = read(path)

    (error,) = file.errors
    assert file.unread
    assert (error.line, error.reason) == (line, reason)


def test_a_broken_line_keeps_its_last_good_version_until_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.crontab"
    good = in_force(SchedulesInForce(), [read(write(path, "@daily a\n0 6 * * * b\n@daily c\n"))])

    broken = in_force(good, [read(write(path, "@hourly a\n0 6 * * b\n"))])
    mended = in_force(broken, [read(write(path, "@hourly a\n0 7 * * * b\n"))])

    assert sorted((one.name, one.when) for one in broken.definitions) == [
        ("a:a", Cron(expression="@hourly")),
        ("a:b", Cron(expression="0 6 * * *")),
        ("a:c", Cron(expression="@daily")),
    ]
    assert [one.line for one in broken.errors] == [2]
    assert [(one.name, one.when) for one in mended.definitions] == [
        ("a:a", Cron(expression="@hourly")),
        ("a:b", Cron(expression="0 7 * * *")),
    ]


def test_what_was_edited_or_removed_beside_a_broken_line_is_so(tmp_path: Path) -> None:
    path = tmp_path / "a.crontab"
    good = in_force(SchedulesInForce(), [read(write(path, "@daily a\n0 6 * * * b\n@daily c --old\n"))])

    now = in_force(good, [read(write(path, "0 66 * * * b\n@daily c --new\n"))])

    assert sorted(one.name for one in now.definitions) == ["a:b", "a:c-new"]


def test_lines_under_a_broken_variable_keep_their_last_good_versions(tmp_path: Path) -> None:
    path = tmp_path / "a.crontab"
    good = in_force(SchedulesInForce(), [read(write(path, "A=1\n@daily x\n@daily y\n"))])

    now = in_force(good, [read(write(path, "A=\n@hourly x\n"))])

    (kept,) = now.definitions
    assert (kept.name, kept.when, kept.environment["A"]) == ("a:x", Cron(expression="@daily"), "1")


# -- properties -----------------------------------------------------------------------------------------------------

LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.text(alphabet="0123456789*/,-@# =\"'%\\abcdehilmnorty\t", max_size=60),
        st.sampled_from(["@daily x", "A=1", "CRON_TZ=UTC", "# schedulerd: name=x", "* * * * * y%z", "MAILTO=a"]),
    ),
    max_size=12,
)  # fmt: skip


@given(LINES)
def test_any_text_is_understood_or_refused_line_by_line_with_unique_names(lines: list[str]) -> None:
    text = "\n".join(lines)

    crontab = parse(text)

    said = [one.name for one in crontab.definitions]
    assert len(set(said)) == len(said)
    count = len(text.split("\n"))
    assert all(line.number <= count for line in crontab.lines)
    assert all(error.line is not None for error in crontab.errors)


@given(st.text(alphabet=st.characters(exclude_characters="\n\r\0", codec="utf-8"), min_size=1))
def test_a_quoted_value_is_taken_as_it_is(value: str) -> None:
    quote = "'" if '"' in value else '"'
    if quote in value:
        return

    definition = only(f"A={quote}{value}{quote}\n@daily x\n")

    assert definition.environment["A"] == value
