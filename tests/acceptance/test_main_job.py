"""The main job, end to end: a flow file dropped into the folder runs on its schedule, and its history is there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.service import PROGRAM, Service
from tests.waiting import SLOWER, eventually

pytestmark = pytest.mark.timeout(600)

ETL = (Path(__file__).parents[2] / "flows" / "etl.py").read_text()
FINAL = "Final data: [2, 4, 6, 8, 10]"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.close()


def _completed(service: Service, flow: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = service.cli("runs", "list", "--flow", flow, "--state", "completed")
    return listed


def _flow(service: Service, name: str) -> dict[str, Any] | None:
    return next((flow for flow in service.cli("flows", "list") if flow["name"] == name), None)


def test_the_etl_flow_prints_its_data_when_run_as_a_script(tmp_path: Path) -> None:
    file = tmp_path / "etl.py"
    file.write_text(ETL)

    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)

    assert done.stdout == FINAL + "\n"


def test_a_dropped_flow_runs_on_an_interval_with_its_tasks_and_log(tmp_path: Path, empty_url: str) -> None:
    service = Service(tmp_path, url=empty_url)
    try:
        _see_the_etl_flow_run(service)
    finally:
        service.close()


def _see_the_etl_flow_run(service: Service) -> None:
    service.start()
    service.drop("etl.py", ETL)
    service.schedule("etl.toml", '[[schedule]]\nname = "often"\nflow = "ETL-pipeline"\nevery = "1s"\n')
    service.wait_for_flow("ETL-pipeline")

    runs = eventually(lambda: len(found := _completed(service, "ETL-pipeline")) >= 3 and found, within=20)
    assert runs
    shown = service.cli("runs", "show", runs[0]["id"])
    lines = service.cli("logs", runs[0]["id"])

    assert [task["name"] for task in shown["tasks"]] == ["extract", "transform", "load"]
    assert {task["state"] for task in shown["tasks"]} == {"completed"}
    assert [move["to"] for move in shown["moves"]] == ["pending", "running", "completed"]
    assert [line["message"] for line in lines] == [FINAL]
    assert (shown["trigger"], shown["schedule"]) == ("schedule", "often")
    assert service.stop() == 0
    assert service.broken_invariants() == []


def test_a_flow_runs_on_the_cron_schedule_that_its_file_carries(service: Service) -> None:
    service.start()
    service.drop(
        "tick.py",
        "from schedulerd import flow\nfrom schedulerd.schedules import Cron\n\n"
        '@flow(schedule=Cron("* * * * * *", timezone="Asia/Seoul"))\ndef tick():\n    print("tick")\n',
    )
    service.wait_for_flow("tick")

    runs = eventually(lambda: len(found := _completed(service, "tick")) >= 3 and found, within=20)

    assert runs
    due = [run["due_at"] for run in runs]
    assert len(set(due)) == len(due)
    assert all(moment.endswith(".000Z") for moment in due)
    (schedule,) = service.cli("schedules", "list")
    assert schedule["when"]["timezone"] == "Asia/Seoul"


def test_a_dropped_file_is_in_force_within_two_seconds(service: Service) -> None:
    service.start()
    service.drop("one.py", _function("one"))
    service.wait_for_flow("one")

    took = [_seconds_until_in_force(service, name) for name in ("two", "three", "four")]

    assert min(took) < 2.0 * 3  # a look that no event asked for would come ten seconds after the last


def test_a_file_that_is_changed_broken_mended_and_removed_counts_as_it_was_last_good(
    service: Service,
) -> None:
    service.start()
    service.drop("etl.py", _function("job", body='print("first")'))
    service.wait_for_flow("job")
    assert _output_of_run(service) == ["first"]

    service.drop("etl.py", _function("job", body='print("second")'))
    eventually(lambda: _output_of_run(service) == ["second"], within=10)

    service.drop("etl.py", "def job(:\n")
    broken = eventually(lambda: (_flow(service, "job") or {}).get("error"), within=10)
    assert broken
    assert broken["type"] == "SyntaxError"
    assert broken["line"] == 1
    assert _output_of_run(service) == ["second"]

    service.drop("etl.py", _function("job", body='print("third")'))
    eventually(lambda: not (_flow(service, "job") or {"error": 1})["error"], within=10)
    assert _output_of_run(service) == ["third"]

    (service.flows / "etl.py").unlink()
    eventually(lambda: _flow(service, "job") is None, within=10)
    assert len(service.cli("runs", "list", "--flow", "job")) >= 4


def test_files_that_hang_hold_up_no_others(service: Service) -> None:
    settings = service.folder / "config" / "schedulerd.toml"
    settings.write_text(f'inspect_timeout = "9m"\n{settings.read_text()}')
    service.start()
    for name in ("one", "two", "three"):
        service.drop(f"{name}.py", "import time\ntime.sleep(600)\n")
    hanging = eventually(lambda: len(found := _inspections(service)) >= 2 and found, within=10)

    service.drop("good.py", _function("good"))
    service.wait_for_flow("good")

    assert hanging
    assert hanging <= _inspections(service)


def test_a_schedule_whose_parameters_have_the_wrong_type_is_refused_when_it_is_read(service: Service) -> None:
    service.start()
    service.drop("sum.py", "from schedulerd import flow\n\n@flow\ndef total(a: int):\n    print(a)\n")
    service.schedule(
        "sum.toml",
        '[[schedule]]\nname = "often"\nflow = "total"\nevery = "1s"\nparameters = { a = "no" }\n',
    )
    service.wait_for_flow("total")

    eventually(lambda: "is not a whole number" in service.log.read_text(), within=10)

    assert service.cli("schedules", "list") == []


def test_a_daemon_whose_terminal_is_closed_stops(service: Service) -> None:
    leader, follower = os.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--config", str(service.folder / "config" / "schedulerd.toml"), "start"],
        cwd=service.folder,
        pass_fds=[follower],
        preexec_fn=partial(os.login_tty, follower),  # noqa: PLW1509  a session of its own, and this is its terminal
    )
    service.process = process
    os.close(follower)
    seen = b""
    while b"Ctrl-C" not in seen:
        seen += os.read(leader, 4096)

    os.close(leader)

    assert process.wait(15 * SLOWER) == 0


def test_a_broken_schedule_entry_is_reported_with_its_line_and_costs_nothing_else(service: Service) -> None:
    service.start()
    service.drop("job.py", _function("job"))
    path = service.schedule(
        "all.toml",
        '[[schedule]]\nname = "good"\nflow = "job"\nevery = "1h"\n\n'
        '[[schedule]]\nname = "bad"\nflow = "job"\ncron = "61 * * * *"\n',
    )

    eventually(lambda: service.cli("schedules", "list"), within=10)
    checked = service.command("validate", str(path))

    assert [schedule["name"] for schedule in service.cli("schedules", "list")] == ["good"]
    assert checked.returncode == 8
    assert f"{path.name}:9: `cron`: minute: '61' is not one of 0-59" in checked.stdout
    eventually(lambda: "all.toml" in service.log.read_text() and "61" in service.log.read_text())


def test_history_is_readable_while_the_daemon_is_down_and_a_run_waits_for_it(service: Service) -> None:
    service.start()
    service.drop("job.py", _function("job", body='print("did it")'))
    service.wait_for_flow("job")
    assert _output_of_run(service) == ["did it"]
    service.stop()

    assert len(service.cli("runs", "list")) == 1
    asked = service.command("run", "job")
    assert asked.returncode == 0
    assert "daemon" in asked.stderr
    service.start()

    eventually(lambda: len(_completed(service, "job")) == 2, within=15)


def test_a_run_outlives_its_daemon_and_its_whole_log_is_there(service: Service) -> None:
    service.start()
    service.drop(
        "long.py",
        "import os, time\nfrom schedulerd import flow\n\n@flow\ndef long(go: str):\n"
        '    print("before")\n    while not os.path.exists(go):\n        time.sleep(0.01)\n    print("after")\n',
    )
    service.wait_for_flow("long")
    go = service.folder / "go"
    key = service.ask_for("long", go=str(go))
    eventually(lambda: [line.line.message for line in service.lines(key)] == ["before"])

    service.stop(signal.SIGTERM)
    go.touch()
    service.start()
    run = service.wait_for_end(key)

    assert run.state == "completed"
    assert [line.line.message for line in service.lines(key)] == ["before", "after"]


def test_ctrl_c_cancels_what_runs_and_ends_within_five_seconds(service: Service) -> None:
    service.start()
    service.drop(
        "stubborn.py",
        "import signal, time\nfrom schedulerd import flow\n\n@flow\ndef stubborn():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    print('here')\n    time.sleep(600)\n",
    )
    service.wait_for_flow("stubborn")
    key = service.ask_for("stubborn")
    eventually(lambda: service.lines(key))

    began = time.monotonic()
    status = service.stop(signal.SIGINT)

    assert time.monotonic() - began < 5 * SLOWER  # and not the ten minutes that it sleeps
    assert status == 0
    assert service.run(key).state == "cancelled"


def test_a_second_daemon_on_the_same_state_refuses_with_the_first_ones_pid(service: Service) -> None:
    service.start()

    second = service.command("start")

    assert second.returncode == 5
    assert str(service.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_a_message_with_the_mend(service: Service, tmp_path: Path) -> None:
    import socket

    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    settings = service.folder / "config" / "schedulerd.toml"
    settings.write_text(settings.read_text().replace("enabled = false", f"port = {port}"))

    done = service.command("start")
    taken.close()

    assert done.returncode == 5
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_in_the_background_it_says_that_it_is_ready_and_stops_when_asked(service: Service) -> None:
    started = service.command("start", "--detach")
    assert started.returncode == 0, started.stderr
    again = service.command("start", "--detach")
    stopped = service.command("stop")

    assert again.returncode == 5
    assert stopped.returncode == 0, stopped.stderr
    assert service.command("status").returncode == 6


def test_a_reload_reads_everything_anew(service: Service) -> None:
    service.start()
    service.drop("job.py", _function("job"))
    service.wait_for_flow("job")

    done = service.command("reload")

    assert done.returncode == 0, done.stderr


def _function(name: str, *, body: str = "pass") -> str:
    return f"from schedulerd import flow\n\n@flow\ndef {name}():\n    {body}\n"


def _seconds_until_in_force(service: Service, name: str) -> float:
    began = time.monotonic()
    service.drop(f"{name}.py", _function(name))
    service.wait_for_flow(name)
    return time.monotonic() - began


def _inspections(service: Service) -> set[Path]:
    """The folders of the looks at files that go on."""
    return set((service.state / "runs").glob("inspection-*"))


def _output_of_run(service: Service) -> list[str]:
    """Run the flow `job` now, and what it printed."""
    done = service.command("run", "job", "--wait")
    assert done.returncode == 0, done.stderr
    return [line["message"] for line in service.cli("logs", "@last:job")]


def test_the_program_is_what_people_install() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True, env=environ)

    assert done.stdout.startswith("schedulerd ")
