"""Lines of a crontab against what Debian cron makes of them.

The tables were made with the programs of its package cron 3.0pl1-162: what `crontab FILE` accepts, and what `@reboot`
lines of a running `cron` found in their environment, on their stdin and as their command.
"""

import pytest

from schedulerd.errors import BadExpression
from schedulerd.watch.crontab_lines import BadSetting, Form, Job, Remark, Setting, split_percent, take_apart


def user(line: str) -> Remark | Setting | Job:
    return take_apart(line, Form.USER)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("A = one two  ", "A", "one two"),
        ('B=" q q "', "B", " q q "),
        ("C='x' ", "C", "x"),
        ("D=a#b", "D", "a#b"),
        ('EMPTY=""', "EMPTY", ""),
        ('"Q N"=v', "Q N", "v"),
        ("  LEAD = y", "LEAD", "y"),
        ('A=x"y', "A", 'x"y'),
        ("A=b=c", "A", "b=c"),
        ("PATH = $HOME/bin:$PATH", "PATH", "$HOME/bin:$PATH"),
        ("A='it\"s'", "A", 'it"s'),
        ("*/5=x", "*/5", "x"),
    ],
)
def test_a_variable_has_the_value_that_debian_cron_gives_it(line: str, name: str, value: str) -> None:
    assert user(line) == Setting(name=name, value=value)


@pytest.mark.parametrize(
    ("line", "start"),
    [("A=", 2), ("A = ", 4), ('A="" x', 2), ('A="x', 2), ("A='x\" ", 2), ("\tB =  'x' y", 6)],
)
def test_a_variable_that_debian_cron_cannot_read_is_an_error_at_its_value(line: str, start: int) -> None:
    with pytest.raises(BadSetting) as caught:
        user(line)

    assert (caught.value.start, caught.value.name) == (start, line.strip()[0])
    assert 'an empty one is ""' in caught.value.reason


@pytest.mark.parametrize("line", ["", "   ", "\t", "# comment", "   # comment", "#* * * * * x"])
def test_blank_lines_and_comments_say_nothing(line: str) -> None:
    assert user(line) == Remark(text=line.strip())


@pytest.mark.parametrize(
    ("line", "time", "command"),
    [
        ("* * * * * x", "* * * * *", "x"),
        ("\t* * * * *\tx", "* * * * *", "x"),
        ("  5  4\t* * sun   echo   a  b", "5  4 * * sun", "echo   a  b"),
        ("0 5 * * * A=b cmd", "0 5 * * *", "A=b cmd"),
        ("* * * * * x # no comment", "* * * * *", "x # no comment"),
        ("@daily x", "@daily", "x"),
        ("@hourly\tx y", "@hourly", "x y"),
        ("@reboot x", "@reboot", "x"),
        ("@reboot   echo trailing   ", "@reboot", "echo trailing"),
        ("* * * * * echo \\  ", "* * * * *", "echo \\ "),
    ],
)
def test_a_command_stands_after_its_time(line: str, time: str, command: str) -> None:
    job = user(line)

    assert isinstance(job, Job)
    assert (job.time, job.command, job.stdin, job.user) == (time, command, None, None)


@pytest.mark.parametrize(
    ("text", "command", "stdin"),
    [
        ("cat%hello%wor\\%ld\\n\\\\%x\\", "cat", "hello\nwor%ld\\n\\%x\\\n"),
        ("echo a\\%b 'c\\%d' e\\\\f", "echo a%b 'c%d' e\\\\f", None),
        ("echo a\\\\%b", "echo a\\\\", "b\n"),
        ("cat%", "cat", None),
        ("cat%a%", "cat", "a\n"),
        ("cat%%a", "cat", "\na\n"),
        ("cat%x\\\\y\\\\\\%z", "cat", "x\\\\y\\\\%z\n"),
        ('mail -s "It\'s 10pm" joe%Joe,%%Where are your kids?%', 'mail -s "It\'s 10pm" joe', "Joe,\n\nWhere are your kids?\n"),
        ("expr $(date +\\%s) / 60 \\% 9", "expr $(date +%s) / 60 % 9", None),
        ("echo \\", "echo \\", None),
        ("%only input", "", "only input\n"),
    ],
)  # fmt: skip
def test_percent_signs_are_newlines_unless_a_backslash_stands_before(
    text: str, command: str, stdin: str | None
) -> None:
    assert split_percent(text) == (command, stdin)


@pytest.mark.parametrize(
    ("line", "caret", "reason"),
    [
        ("* * * *", "       ^", "this one has 4 words"),
        ("hello", "     ^", "this one has 1 word"),
        ("* * * * *", "         ^", "there is no command after *"),
        ("@daily", "      ^", "there is no command after @daily"),
        ("@daily %x", "      ^", "there is no command after @daily"),
        ("@daily \x0c", "      ^", "there is no command after @daily"),
        ("\t@every 5m x", " ^^^^^^", "@every is not known; there are @hourly"),
        ("@yearlyx y", "^^^^^^^^", "@yearlyx is not known"),
        ("=x", "^", "there is no name before the ="),
        ("* * * * * a\0b", "           ^", "a NUL byte"),
        ("A B=c", "     ^", "this one has 2 words"),
    ],
)
def test_a_line_that_is_nothing_is_an_error_at_its_place(line: str, caret: str, reason: str) -> None:
    with pytest.raises(BadExpression) as caught:
        user(line)

    assert caught.value.caret().splitlines()[1] == caret
    assert reason in caught.value.reason


def test_a_line_of_a_system_crontab_names_its_user() -> None:
    assert take_apart("17 *\t* * *  root\tcd / && run-parts /etc/cron.hourly", Form.SYSTEM) == Job(
        time="17 * * * *",
        start=0,
        command="cd / && run-parts /etc/cron.hourly",
        user="root",
        user_start=12,
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("17 * * * *", "there is no user after the time"),
        ("@daily", "there is no user after the time"),
        ("17 * * * * root", "there is no command after root"),
    ],
)
def test_a_line_of_a_system_crontab_needs_user_and_command(line: str, reason: str) -> None:
    with pytest.raises(BadExpression, match=reason):
        take_apart(line, Form.SYSTEM)
