"""What may be said of a run's surroundings, and what of it holds."""

from datetime import timedelta
from typing import Any

import pytest

from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.surroundings import UNLIMITED, Surroundings, time_limit
from schedulerd.domain.surroundings_values import read_environment, read_surroundings, read_time_limit

ALL = Surroundings(
    user="kim",
    directory="work",
    env_file="/etc/vars",
    umask=0o027,
    nice=-3,
    memory_bytes=512_000_000,
    cpu_seconds=90,
    open_files=64,
    leave_children=True,
)


def test_all_of_it_can_be_said() -> None:
    said = {
        "user": "kim",
        "directory": "work",
        "env_file": "/etc/vars",
        "umask": "027",
        "nice": -3,
        "memory": "512MB",
        "cpu_time": "1m30s",
        "open_files": 64,
        "leave_children": True,
    }

    assert read_surroundings(Entry(said)) == ALL
    assert read_surroundings(Entry({})) == Surroundings()


@pytest.mark.parametrize(
    ("key", "value", "name", "amount"),
    [
        ("memory", 20_000_000, "memory_bytes", 20_000_000),
        ("memory", "unlimited", "memory_bytes", UNLIMITED),
        ("cpu_time", "unlimited", "cpu_seconds", UNLIMITED),
        ("cpu_time", "1ms", "cpu_seconds", 1),
        ("cpu_time", timedelta(seconds=1.5), "cpu_seconds", 2),
        ("open_files", "unlimited", "open_files", UNLIMITED),
        ("nice", 0, "nice", 0),
        ("umask", "0022", "umask", 0o022),
        ("umask", "000", "umask", 0),
    ],
)
def test_amounts_are_read(key: str, value: Any, name: str, amount: int) -> None:
    found = read_surroundings(Entry({key: value}))

    assert found.as_json() == {name: amount}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"user": ""}, "`user` is empty"),
        ({"user": "kim:lee"}, "`user`: 'kim:lee' cannot be the name of a user"),
        ({"user": 1000}, "`user` must be text in quotes"),
        ({"directory": "~/work"}, "`directory`: `~` is not expanded here; write the whole path"),
        ({"directory": "a\0b"}, "`directory` has a NUL in it"),
        ({"env_file": 1}, "`env_file` must be text in quotes"),
        ({"umask": 27}, '`umask` must be three octal digits in quotes, such as "027"'),
        ({"umask": "028"}, "`umask` must be three octal digits"),
        ({"nice": 20}, "`nice` must be a whole number from -20 to 19"),
        ({"nice": True}, "`nice` must be a whole number"),
        ({"memory": "lots"}, "`memory`: a size is written like 64MB"),
        ({"memory": True}, '`memory` must be a size in quotes, such as "512MB", or "unlimited"'),
        ({"memory": "1MB"}, "`memory` must be at least 16MB"),
        ({"cpu_time": "0s"}, "`cpu_time` must be longer than nothing"),
        ({"cpu_time": 10}, "`cpu_time` must be a duration in quotes"),
        ({"open_files": 3}, "`open_files` must be a whole number from 16 to 1,048,576"),
        ({"leave_children": "yes"}, "`leave_children` must be true or false"),
    ],
)
def test_what_cannot_be_is_told_at_its_key(said: Any, reason: str) -> None:
    with pytest.raises(BadEntry) as caught:
        read_surroundings(Entry(said))

    assert caught.value.reason.startswith(reason)
    assert caught.value.path == (next(iter(said)),)


def test_names_of_variables_are_text() -> None:
    with pytest.raises(BadEntry, match="1 cannot be the name of a variable"):
        read_environment(Entry({"environment": {1: "a"}}))


def test_they_come_back_as_they_were_kept() -> None:
    for one in (Surroundings(), ALL, Surroundings(memory_bytes=UNLIMITED, nice=0, umask=0)):
        assert Surroundings.from_json(one.as_json()) == one
    assert Surroundings().as_json() == {}


def test_what_is_said_goes_before_what_is_usual() -> None:
    usual = Surroundings(memory_bytes=1_000, cpu_seconds=10, nice=5)

    found = Surroundings(user="kim", memory_bytes=UNLIMITED, nice=0).within(usual)

    assert found == Surroundings(user="kim", memory_bytes=UNLIMITED, cpu_seconds=10, nice=0)


@pytest.mark.parametrize(
    ("seconds", "usual", "limit"),
    [
        (None, None, None),
        (None, timedelta(seconds=5), timedelta(seconds=5)),
        (1.5, timedelta(seconds=5), timedelta(seconds=1.5)),
        (0.0, timedelta(seconds=5), None),
        (None, timedelta(), None),
    ],
)
def test_a_time_limit_is_the_flows_else_the_usual_one(
    seconds: float | None, usual: timedelta | None, limit: timedelta | None
) -> None:
    assert time_limit(seconds, usual) == limit


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({}, None),
        ({"timeout": "unlimited"}, timedelta()),
        ({"timeout": "10m"}, timedelta(minutes=10)),
    ],
)
def test_a_command_may_have_a_time_limit(said: Any, limit: timedelta | None) -> None:
    assert read_time_limit(Entry(said), "timeout") == limit
