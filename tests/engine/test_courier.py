"""The courier as a process, and pings over a real HTTP."""

import os
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence

import pytest

from schedulerd.clock import SystemClock
from schedulerd.courier.errands import Answer, Errand
from schedulerd.courier.journeys import Journey
from tests.receiver import ReceivingService
from tests.waiting import eventually

SECRET = "canary-5b7e"
CLOCK = SystemClock()


@pytest.fixture
def receiver() -> Iterator[ReceivingService]:
    receiver = ReceivingService()
    yield receiver
    receiver.close()


def answers(errands: Sequence[Errand]) -> list[Answer]:
    journey = Journey(errands, os.environ, now=CLOCK.monotonic())
    return eventually(lambda: journey.look(CLOCK.monotonic()) or [], within=50)


def a_ping(url: str, key: str = "1", strand: str = "s") -> Errand:
    return Errand(key=key, url=url, strand=strand)


def test_pings_of_a_strand_arrive_in_their_order(receiver: ReceivingService) -> None:
    base = f"http://127.0.0.1:{receiver.port}/{SECRET}"

    found = answers([a_ping(f"{base}/start", "1"), a_ping(base, "2")])

    assert [(one.key, one.is_done) for one in found] == [("1", True), ("2", True)]
    assert receiver.paths == [f"/{SECRET}/start", f"/{SECRET}"]


def test_a_name_and_password_in_the_url_are_a_login(receiver: ReceivingService) -> None:
    (answer,) = answers([a_ping(f"http://kim:a%40b@127.0.0.1:{receiver.port}/x")])

    assert answer.is_done
    assert receiver.paths == ["/x"]
    assert receiver.server.logins == ["Basic " + b64encode(b"kim:a@b").decode()]


def test_after_one_that_failed_those_behind_it_are_not_tried_and_other_strands_are(
    receiver: ReceivingService,
) -> None:
    base = f"http://127.0.0.1:{receiver.port}/{SECRET}"
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # it does not listen
    dead = f"http://127.0.0.1:{nobody.getsockname()[1]}/{SECRET}"

    found = answers([a_ping(dead, "1", "a"), a_ping(base, "2", "a"), a_ping(base, "3", "b")])

    nobody.close()
    assert sorted((one.key, one.is_done) for one in found) == [("1", False), ("3", True)]
    assert len(receiver.paths) == 1
    assert SECRET not in "".join(one.words for one in found)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_what_a_monitor_does_not_take_is_told_without_its_address(
    receiver: ReceivingService, status: int
) -> None:
    receiver.server.status = status

    (answer,) = answers([a_ping(f"http://user:{SECRET}@127.0.0.1:{receiver.port}/{SECRET}")])

    assert not answer.is_done
    assert answer.words == f"it answered {status} {_reason(status)}"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        f"ftp://127.0.0.1/{SECRET}",
        f"https://[{SECRET}",
        f"http://{SECRET}.invalid/",
        "http://127.0.0.1:x/",
    ],
)
def test_no_file_is_read_and_no_odd_address_ends_the_courier(url: str) -> None:
    (answer,) = answers([a_ping(url)])

    assert not answer.is_done
    assert answer.words
    assert SECRET not in answer.words


def _reason(status: int) -> str:
    return {404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}[status]
