"""What a schedule says of the monitors that are told of its runs; their URLs are secrets."""

from typing import Any

import pytest

from schedulerd.domain.entries import BadEntry, Entry
from schedulerd.domain.heartbeat_values import heartbeat_of
from schedulerd.domain.heartbeats import OF_STATE, Beat, Heartbeat, read_heartbeat
from schedulerd.domain.states import RunState
from tests.builders import a_schedule

CANARY = "canary-9f2c"
URL = f"https://hc.example.com/{CANARY}"


@pytest.mark.parametrize(
    ("said", "heartbeat"),
    [
        (URL, Heartbeat(success=URL)),
        ("${SCHEDULERD_NOTIFY_HC}", Heartbeat(success="${SCHEDULERD_NOTIFY_HC}")),
        (
            {"start": URL + "/start", "success": URL, "failure": URL + "/fail"},
            Heartbeat(start=URL + "/start", success=URL, failure=URL + "/fail"),
        ),
        ({"failure": URL}, Heartbeat(failure=URL)),
    ],
)
def test_one_url_is_for_success_and_a_table_names_what_each_is_for(said: Any, heartbeat: Heartbeat) -> None:
    assert heartbeat_of(Entry({"heartbeat": said})) == heartbeat
    assert read_heartbeat(heartbeat.as_json()) == heartbeat


def test_without_the_key_there_is_none() -> None:
    assert heartbeat_of(Entry({})) is None
    assert read_heartbeat(None) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "`heartbeat` is empty"),
        ([URL], "`heartbeat` must be a URL with http:// or https://"),
        (f"ftp://{CANARY}", "`heartbeat` must be a URL with http:// or https://"),
        (f"file:///etc/{CANARY}", "`heartbeat` must be a URL with http:// or https://"),
        (f"https://{CANARY}/ü", "`heartbeat` must be a URL of at most 2000 plain characters"),
        (f"https://{CANARY}/a b", "`heartbeat` must be a URL of at most 2000 plain characters"),
        (f"https://{CANARY}/a\nX-Header: b", "`heartbeat` must be a URL of at most 2000 plain characters"),
        (f"https://{CANARY}/{'a' * 2000}", "`heartbeat` must be a URL of at most 2000 plain characters"),
        ({"end": URL}, "`heartbeat` has start, success, failure, and no 'end'"),
        ({URL: "success"}, "`heartbeat` has start, success, failure, and no other keys"),
        ({"success": 3}, "`heartbeat` must be a URL with http:// or https://"),
    ],
)
def test_a_slip_is_told_without_the_url(said: Any, reason: str) -> None:
    with pytest.raises(BadEntry) as caught:
        heartbeat_of(Entry({"heartbeat": said}))

    assert caught.value.reason.startswith(reason)
    assert caught.value.path == ("heartbeat",)
    assert CANARY not in f"{caught.value.reason} {caught.value.mend}"


def test_what_is_shown_of_it_is_no_secret() -> None:
    heartbeat = Heartbeat(
        start=f"https://user:{CANARY}@hc.example.com/start", success=f"http://hc:8000/{CANARY}"
    )

    assert heartbeat.shown() == {"start": "https://hc.example.com/…", "success": "http://hc:8000/…"}
    assert CANARY not in repr(a_schedule(heartbeat=heartbeat))


def test_monitors_hear_of_a_start_a_success_and_each_bad_end_and_of_nothing_else() -> None:
    bad = (RunState.FAILED, RunState.TIMED_OUT, RunState.CRASHED)

    assert {
        RunState.RUNNING: Beat.START,
        RunState.COMPLETED: Beat.SUCCESS,
        **dict.fromkeys(bad, Beat.FAILURE),
    } == OF_STATE


def test_another_heartbeat_changes_no_due_times() -> None:
    assert a_schedule(heartbeat=Heartbeat(success=URL)).is_due_like(a_schedule())
