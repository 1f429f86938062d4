"""People are told: by a real daemon, through Apprise, to a real service."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.domain.messages import MessageState
from schedulerd.domain.states import RunState
from tests.receiver import ReceivingService
from tests.service import Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(150)

SECRET = "canary-token-7f3a"
FLOWS = """
import os, signal, time
from pathlib import Path
from schedulerd import flow, task

@task
def divide(number):
    return 1 / number

@flow(tags=["money"])
def raises():
    print("last words")
    divide(0)

@flow
def dies():
    print("dying")
    os.kill(os.getpid(), signal.SIGKILL)

@flow
def fine(fails: bool = False):
    if fails:
        raise ValueError("not yet")
"""


@pytest.fixture
def receiver() -> Iterator[ReceivingService]:
    receiver = ReceivingService()
    yield receiver
    receiver.close()


def settings(receiver: ReceivingService, more: str = 'on = ["failed", "crashed"]') -> str:
    return f"""
[[notify]]
urls = ["json://user:{SECRET}@127.0.0.1:{receiver.port}/{SECRET}/?rto=40"]
group = "0s"
{more}
"""


def started(folder: Path, more: str) -> Service:
    service = Service(folder)
    file = folder / "config" / "schedulerd.toml"
    file.write_text(file.read_text() + more)
    service.drop("flows.py", FLOWS)
    service.start()
    service.wait_for_flow("fine")
    return service


def test_a_run_that_fails_is_told_with_its_reason_place_and_log(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    service = started(tmp_path, settings(receiver))

    run = service.wait_for_end(service.ask_for("raises"))

    body = receiver.body(lambda body: run.selector in body)
    assert "raises#1 failed: ZeroDivisionError: division by zero" in body
    assert f"{service.flows / 'flows.py'}:8, in task divide" in body
    assert "look: schedulerd runs show raises#1" in body
    assert "| last words" in body
    assert receiver.titles[0].endswith("] raises#1 failed")
    service.stop()
    service.close()


def test_a_run_that_is_killed_is_told_as_crashed(tmp_path: Path, receiver: ReceivingService) -> None:
    service = started(tmp_path, settings(receiver))

    service.ask_for("dies")

    body = receiver.body(lambda body: "dies#1" in body)
    assert "dies#1 crashed: killed by SIGKILL" in body
    assert "| dying" in body
    service.stop()
    service.close()


def test_a_run_that_completes_after_one_that_failed_has_recovered(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    service = started(tmp_path, settings(receiver, 'on = ["recovered"]'))
    service.wait_for_end(service.ask_for("fine"))
    service.wait_for_end(service.ask_for("fine", fails=True))

    service.wait_for_end(service.ask_for("fine"))

    receiver.body(lambda body: "fine#3 completed again" in body)
    service.wait_for_end(service.ask_for("fine"))
    service.wait_for_end(service.ask_for("fine", fails=True))
    service.wait_for_end(service.ask_for("fine"))
    receiver.body(lambda body: "fine#6 completed again" in body)
    assert len(receiver.bodies) == 2
    service.stop()
    service.close()


def test_what_a_rule_is_not_about_is_not_told(tmp_path: Path, receiver: ReceivingService) -> None:
    service = started(tmp_path, settings(receiver, 'on = ["failed", "crashed"]\ntags = ["money"]'))
    service.wait_for_end(service.ask_for("fine", fails=True))
    service.wait_for_end(service.ask_for("dies"))

    service.wait_for_end(service.ask_for("raises"))

    receiver.body(lambda body: "raises#1" in body)
    assert len(receiver.bodies) == 1
    service.stop()
    service.close()


def test_what_could_not_be_sent_is_sent_when_the_receiver_is_back(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    receiver.go_away()
    service = started(tmp_path, settings(receiver))
    service.wait_for_end(service.ask_for("raises"))
    eventually(lambda: service.said("message_not_sent"), within=60)

    receiver.come_back()

    receiver.body(lambda body: "raises#1 failed" in body)
    eventually(lambda: service.said("message_sent"), within=30)
    assert len(receiver.bodies) == 1
    service.stop()
    service.close()


def test_a_receiver_that_hangs_keeps_no_run_waiting_and_gets_its_message_in_the_end(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    receiver.server.hangs.set()
    service = started(tmp_path, settings(receiver))
    service.wait_for_end(service.ask_for("raises"))
    eventually(lambda: receiver.server.tries, within=60)

    runs = [service.wait_for_end(service.ask_for("fine")) for _ in range(5)]

    assert [run.state for run in runs] == [RunState.COMPLETED] * 5
    assert receiver.bodies == []
    receiver.server.hangs.clear()
    receiver.server.go_on.set()
    receiver.body(lambda body: "raises#1 failed" in body)
    service.stop()
    service.close()


def test_a_notice_of_a_daemon_that_was_killed_before_it_could_send_is_sent_by_the_next(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    more = settings(receiver).replace('group = "0s"', 'group = "10s"')
    service = started(tmp_path, more)
    service.wait_for_end(service.ask_for("raises"))
    service.kill()
    assert receiver.bodies == []

    service.start()

    receiver.body(lambda body: "raises#1 failed" in body)
    service.stop()
    service.close()


def test_the_command_line_tests_addresses_and_lists_what_was_sent(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    service = started(tmp_path, settings(receiver))
    service.wait_for_end(service.ask_for("raises"))
    receiver.body(lambda body: "raises#1" in body)

    tested = service.command("notify", "test", timeout=60)
    receiver.server.status = 500
    refused = service.command("notify", "test", "notify-1", timeout=60)

    assert (tested.returncode, refused.returncode) == (0, 8)
    assert receiver.titles[-1].endswith("] test")
    assert "500" in refused.stdout
    assert SECRET not in tested.stdout + refused.stdout + refused.stderr
    listed = eventually(
        lambda: [one for one in service.cli("notify", "sent") if one["state"] == "sent"], within=60
    )
    assert [(one["rule"], one["tries"]) for one in listed] == [("notify-1", 1)]
    assert service.command("notify", "test", "other").returncode != 0
    service.stop()
    service.close()


def test_a_file_with_errors_is_told_and_so_is_that_it_is_good_again(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    service = started(tmp_path, settings(receiver, 'on = ["broken", "mended"]'))

    service.drop("flows.py", "def broken(:\n")

    receiver.body(lambda body: "flows.py has errors: line 1" in body)
    service.drop("flows.py", FLOWS)
    receiver.body(lambda body: "flows.py is good again" in body)
    service.stop()
    service.close()


def test_beyond_the_limit_of_an_hour_notices_are_held_back(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    service = started(tmp_path, settings(receiver, 'on = ["failed"]\nlimit = 2'))
    for number in (1, 2):
        service.wait_for_end(service.ask_for("raises"))
        receiver.body(lambda body, number=number: f"raises#{number}" in body)  # type: ignore[misc]

    service.wait_for_end(service.ask_for("raises"))
    service.wait_for_end(service.ask_for("dies"))

    database = service.database()

    def states() -> list[MessageState]:
        with database.read() as tx:
            return [one.state for one in tx.messages.lately(10)]

    eventually(lambda: states() == [MessageState.SENT] * 2, within=60)
    with database.read() as tx:
        waiting = tx.notices.waiting("notify-1")
    database.close()
    assert waiting is not None
    assert sum(waiting.counts.values()) == 1
    service.stop()
    service.close()


def test_the_secret_of_a_url_is_in_no_log_and_in_no_answer(
    tmp_path: Path, receiver: ReceivingService
) -> None:
    receiver.server.status = 500
    service = started(tmp_path, settings(receiver))
    service.wait_for_end(service.ask_for("raises"))
    eventually(lambda: service.said("message_not_sent"), within=60)

    database = service.database()
    with database.read() as tx:
        (message,) = tx.messages.unsent(10)
    database.close()
    assert message.shown == f"json://127.0.0.1:{receiver.port}/…"
    assert SECRET not in repr(message)
    assert SECRET not in service.log.read_text()
    for words in (("status",), ("validate",)):
        told = service.command(*words)
        assert SECRET not in told.stdout + told.stderr
    assert SECRET.encode() not in (service.state / "schedulerd.db").read_bytes()
    os.kill(service.pid, signal.SIGTERM)
    service.close()
