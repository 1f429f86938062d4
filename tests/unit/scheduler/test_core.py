"""The core driven by messages, under a clock that stands still: what becomes of due times, runs and wishes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.bundles import bundled
from schedulerd.domain.health import TroubleKind
from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits
from schedulerd.domain.runs import Position
from schedulerd.domain.schedules import Cron, ScheduleDefinition
from schedulerd.domain.states import RunState
from schedulerd.engine import wire
from schedulerd.engine.processes import boot_id
from schedulerd.scheduler.grown import BEGUN_SECONDS
from schedulerd.scheduler.messages import (
    DefinitionsChanged,
    JournalGrew,
    Message,
    ProcessEnded,
    Reload,
    SpawnerSpoke,
    Stop,
    Tick,
    Woken,
)
from schedulerd.store.database import Database
from tests.builders import NOW
from tests.fakes import a_dead_process
from tests.unit.scheduler.scenes import GRACE, World, a_command, each_minute

START = '{"k":"start","t":1795327200000000,"pid":4711}'
LINE = '{"k":"log","t":1795327200000000,"l":20,"g":"","m":"%s","s":"logging"}'


@pytest.fixture
def world(sqlite_database: Database, tmp_path: Path) -> World:
    """A core with one command, `dump`, in force."""
    made = World(sqlite_database, tmp_path / "state")
    made.define(a_command())
    return made


def key_of(world: World, run: RunKey) -> str:
    return world.run(run).folder


# -- due times ----------------------------------------------------------------------------------------------------


def test_each_due_time_becomes_a_run_that_is_prepared_and_asked_for(world: World) -> None:
    world.define(each_minute())

    for _ in range(3):
        world.turn(Tick(), minutes=1)

    assert [run.due_at for run in world.runs()] == [NOW + timedelta(minutes=n) for n in (1, 2, 3)]
    assert world.spawner.keys == [run.folder for run in world.runs()]
    assert world.folder_names() == set(world.spawner.keys)


def test_a_run_of_a_line_of_a_crontab_says_so(world: World) -> None:
    world.define(each_minute("line", origin="config/night.crontab:7"), each_minute("entry"))

    world.turn(Tick(), minutes=1)

    assert {run.flow: run.trigger.value for run in world.runs()} == {"line": "crontab", "entry": "schedule"}


def test_a_due_time_is_not_decided_twice_however_often_it_ticks(world: World) -> None:
    world.define(each_minute())
    world.turn(Tick(), minutes=1)

    for _ in range(5):
        world.turn(Tick(), Tick(), seconds=1)

    assert len(world.runs()) == 1


def test_a_clock_that_is_set_back_repeats_no_due_time_and_one_set_forward_loses_none(world: World) -> None:
    world.define(each_minute())
    world.turn(minutes=2)

    world.clock.jump(hours=-1)
    world.turn(minutes=1)
    assert len(world.runs()) == 1 + 1

    world.clock.jump(hours=1, minutes=1)
    world.turn(seconds=1)
    slots = [run.slot for run in world.runs()]
    assert len(slots) == len(set(slots))
    assert max(run.due_at for run in world.runs()) == NOW + timedelta(minutes=4)


def test_due_times_wait_until_the_files_have_been_read(sqlite_database: Database, tmp_path: Path) -> None:
    before = World(sqlite_database, tmp_path / "state")
    before.define(each_minute())
    before.clock.advance(minutes=5)
    before.start_again()

    before.turn(seconds=0.1)
    assert before.runs() == []

    before.define(each_minute())
    before.turn(seconds=0.1)
    assert len(before.runs()) == 5


def test_due_times_do_not_wait_for_the_files_for_ever(sqlite_database: Database, tmp_path: Path) -> None:
    world = World(sqlite_database, tmp_path / "state")
    world.define(each_minute())
    world.clock.advance(minutes=1)
    world.start_again()

    for _ in range(7):
        world.turn(seconds=1)

    assert len(world.runs()) == 1


def test_a_run_asked_for_by_hand_starts_when_the_bell_rings(world: World) -> None:
    key = world.ask_for("dump")

    world.turn(Woken(), seconds=0.001)

    assert world.run(key).state is RunState.PENDING
    assert world.spawner.keys == [key_of(world, key)]


def test_a_run_asked_for_while_nobody_heard_the_bell_starts_all_the_same(world: World) -> None:
    key = world.ask_for("dump")

    world.turn(seconds=1)

    assert world.run(key).state is RunState.PENDING


# -- a run's way --------------------------------------------------------------------------------------------------


def test_a_run_goes_its_way_from_message_to_message(world: World) -> None:
    key = world.ask_for("dump")
    world.turn(Woken(), seconds=0.01)
    folder = key_of(world, key)

    world.turn(world.spawner.begin(folder), seconds=0.01)
    world.says(key, START)
    world.turn(JournalGrew(key=folder), seconds=0.01)
    world.turn(seconds=BEGUN_SECONDS)
    assert world.run(key).state is RunState.RUNNING

    world.says(key, "done", name="stdout.log")
    world.turn(world.spawner.end(folder, status=0, cpu_ms=7), seconds=0.01)

    run = world.run(key)
    assert (run.state, run.cpu_ms, run.pid) == (RunState.COMPLETED, 7, 4711)
    assert world.folder_names() == set()
    assert world.core.running_count == 0


def test_a_run_that_has_only_begun_is_read_once_at_its_end(world: World) -> None:
    key = world.ask_for("dump")
    world.turn(Woken(), seconds=0.01)
    folder = key_of(world, key)
    world.turn(world.spawner.begin(folder), seconds=0.01)
    world.says(key, START)

    world.turn(JournalGrew(key=folder), seconds=0.01)
    assert world.run(key).state is RunState.PENDING

    world.turn(world.spawner.end(folder), seconds=0.01)
    assert world.run(key).state is RunState.COMPLETED
    with world.database.read() as tx:
        assert [move.to for move in tx.runs.moves(key)] == ["pending", "running", "completed"]


def test_a_run_that_rings_a_second_time_is_read_at_once(world: World) -> None:
    key = world.ask_for("dump")
    world.turn(Woken(), seconds=0.01)
    folder = key_of(world, key)
    world.turn(world.spawner.begin(folder), seconds=0.01)
    world.says(key, START)

    world.turn(JournalGrew(key=folder), JournalGrew(key=folder), seconds=0.01)

    assert world.run(key).state is RunState.RUNNING


def test_that_a_run_was_taken_and_has_begun_is_worth_no_turn(world: World) -> None:
    key = world.ask_for("dump")
    world.turn(Woken(), seconds=0.01)
    folder = key_of(world, key)
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1

    world.on_turn = count
    world.core.post(world.spawner.begin(folder))
    world.core.post(JournalGrew(key=folder))
    world.core.post(SpawnerSpoke(said=wire.Pong()))
    world.core.post(Stop(how="leave"))

    world.core.run()

    assert turns == 1
    attempt = world.attempts.get(folder)
    assert attempt is not None
    assert attempt.ours


def test_runs_that_end_together_are_taken_together(world: World) -> None:
    keys = [world.started(), world.started()]
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1

    world.on_turn = count
    for key in keys:
        world.core.post(world.spawner.end(key_of(world, key)))
    world.core.post(Stop(how="drain", patience=10.0))

    world.core.run()

    assert turns == 1
    assert world.states() == ["completed", "completed"]


def test_an_end_that_nobody_waits_for_makes_no_tick(world: World) -> None:
    key = world.started()
    world.turn(Woken(), seconds=0.01)
    ticks = world.core.tick_count

    world.turn(world.spawner.end(key_of(world, key)), seconds=0.01)

    assert world.run(key).state is RunState.COMPLETED
    assert world.core.tick_count == ticks


def test_messages_may_come_twice_late_or_for_nobody(world: World) -> None:
    key = world.started()
    folder = key_of(world, key)
    end = world.spawner.end(folder)

    world.turn(end, end, JournalGrew(key="nobody"), ProcessEnded(key="nobody"))
    world.turn(end, JournalGrew(key=folder), SpawnerSpoke(said=wire.Taken(key=folder, pid=1)))
    world.turn(SpawnerSpoke(said=wire.Gone(key=folder)), SpawnerSpoke(said=wire.Ended(key="nobody")))

    assert world.run(key).state is RunState.COMPLETED
    assert world.spawner.keys == [folder]


def test_what_a_run_wrote_is_taken_without_a_bell(world: World) -> None:
    key = world.started()
    world.says(key, LINE % "unheard")

    world.turn(seconds=1)

    with world.database.read() as tx:
        assert tx.logs.count(key) == 1


def test_an_end_that_was_not_heard_is_found(world: World) -> None:
    key = world.started()
    world.spawner.end(key_of(world, key))

    for _ in range(12):
        world.turn(seconds=1)

    assert world.run(key).state is RunState.COMPLETED


def test_a_run_whose_request_could_not_be_sent_is_asked_for_later(world: World) -> None:
    world.spawner.is_deaf = True
    key = world.ask_for("dump")
    world.turn()
    assert world.spawner.keys == []

    world.spawner.is_deaf = False
    world.turn()

    assert world.spawner.keys == [key_of(world, key)]


def test_a_run_that_could_not_be_prepared_is_prepared_when_there_is_room(world: World) -> None:
    world.folders.ready.chmod(0o500)
    world.folders.ready.rename(world.folders.ready.with_name("elsewhere"))
    key = world.ask_for("dump")
    world.turn()

    world.folders.ready.with_name("elsewhere").rename(world.folders.ready)
    world.folders.ready.chmod(0o700)
    world.turn()

    assert world.spawner.keys == [key_of(world, key)]


# -- a spawner that dies ------------------------------------------------------------------------------------------


def test_a_run_that_the_dead_spawner_had_not_taken_is_asked_of_the_next(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()

    world.turn(world.spawner.die())

    assert len(world.spawners.all) == 2
    assert world.spawner.keys == [key_of(world, key)]


def test_a_run_that_the_dead_spawner_took_and_did_not_begin_runs_once(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    folder = key_of(world, key)
    world.spawner.take(folder)

    world.turn(world.spawner.die())
    world.turn()
    world.turn()

    assert world.spawner.keys == [folder]
    world.turn(world.spawner.begin(folder))
    world.turn(world.spawner.end(folder))
    assert world.run(key).state is RunState.COMPLETED


def test_a_run_of_the_dead_spawner_is_adopted_and_settled_when_its_process_has_ended(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    folder, first = key_of(world, key), world.spawner
    taken = first.begin(folder)
    world.says(key, START)

    world.turn(taken, first.die())
    assert [watched for _, watched in world.watched] == [folder]
    assert world.spawner.keys == []

    (world.folders.runs / folder / "pid").write_text(_processes(a_dead_process(), first.identity))
    world.turn(ProcessEnded(key=folder))

    assert world.run(key).state is RunState.CRASHED
    assert "exit status unknown" in world.run(key).reason


def test_a_run_that_ended_with_its_spawner_is_settled_by_what_that_wrote(world: World) -> None:
    key = world.started()
    world.spawner.end(key_of(world, key), status=3)

    world.turn(world.spawner.die())
    world.turn()

    assert (world.run(key).state, world.run(key).reason) == (RunState.FAILED, "exit status 3")


def _processes(*processes: Any) -> str:
    import json
    from dataclasses import asdict

    return json.dumps([asdict(process) for process in processes])


# -- a daemon that dies -------------------------------------------------------------------------------------------


def test_a_claimed_run_without_a_folder_is_prepared_by_the_next_daemon(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    world.folders.remove(key_of(world, key))

    world.start_again()
    world.turn()

    assert world.spawner.keys == [key_of(world, key)]


def test_a_prepared_run_is_asked_for_by_the_next_daemon(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()

    world.start_again()
    world.turn()

    assert world.spawner.keys == [key_of(world, key)]


def test_a_run_that_an_old_spawner_took_first_is_not_started_again(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    old = world.spawner

    world.start_again()
    world.turn()
    folder = key_of(world, key)
    old.begin(folder)  # the request had been left unread in its socket
    world.turn(world.spawner.begin(folder))
    for _ in range(3):
        world.turn()

    assert [watched for _, watched in world.watched] == [folder]
    assert world.spawner.keys == [folder]


def test_a_run_that_outlives_its_daemon_loses_nothing(world: World) -> None:
    key = world.started()
    world.says(key, LINE % "before")
    world.turn()
    old = world.spawner

    world.start_again()
    world.says(key, LINE % "between")
    world.turn()
    old.end(key_of(world, key), status=0)
    world.turn(ProcessEnded(key=key_of(world, key)))
    world.turn()

    with world.database.read() as tx:
        lines = [one.line.message for one in tx.logs.lines(key, limit=10)]
    assert lines == ["before", "between"]
    assert world.run(key).state is RunState.COMPLETED


def test_the_end_of_a_run_is_waited_for_while_its_old_spawner_lives(world: World) -> None:
    key = world.started()
    folder, old = key_of(world, key), world.spawner
    world.start_again()
    world.turn()
    (world.folders.runs / folder / "pid").write_text(_processes(a_dead_process(), old.identity))

    world.turn(ProcessEnded(key=folder))
    world.turn()
    assert world.run(key).state is RunState.RUNNING

    old.end(folder, status=0)
    world.turn()
    world.turn()
    assert world.run(key).state is RunState.COMPLETED


def test_a_run_of_before_a_restart_of_the_machine_has_crashed(world: World) -> None:
    asked, going = world.ask_for("dump"), world.started()
    world.folders.remove(key_of(world, going))
    world.boot = boot_id()

    world.start_again()
    world.turn()

    assert [world.run(key).state for key in (asked, going)] == [RunState.CRASHED] * 2
    assert world.run(asked).reason == "machine restarted"
    assert world.folder_names() == set()


def test_folders_of_settled_runs_are_removed_at_the_start(world: World) -> None:
    world.folders.prepare("0198-of-nobody.1", {})
    (world.folders.ready / ".0198-half.1").mkdir()

    world.start_again()

    assert list(world.folders.ready.iterdir()) == []


# -- the database goes away ---------------------------------------------------------------------------------------


@pytest.fixture
def impatient(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    """A core whose database does not wait long for a lock."""
    database = Database(f"sqlite:///{tmp_path / 'schedulerd.db'}", timeout=timedelta(milliseconds=10))
    made = World(database, tmp_path / "state")
    made.define(a_command())
    yield made
    database.close()


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Somebody else holds the database."""
    with closing(sqlite3.connect(world.state_dir.parent / "schedulerd.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def test_an_outage_of_the_database_costs_time_and_nothing_else(impatient: World) -> None:
    world = impatient
    world.define(a_command(), each_minute("tick"))
    going = world.started()
    folder = key_of(world, going)
    with locked(world):
        world.says(going, LINE % "meanwhile")
        world.turn(world.spawner.end(folder, status=0), minutes=1)
        world.turn(minutes=1)
        was_away = world.core.store_is_away

    world.turn(seconds=1)
    world.turn(seconds=1)

    assert (was_away, world.core.store_is_away) == (True, False)
    assert world.run(going).state is RunState.COMPLETED
    assert [run.due_at for run in world.runs() if run.flow == "tick"] == [
        NOW + timedelta(minutes=n) for n in (1, 2)
    ]


def test_a_hiccup_of_the_database_is_no_trouble_to_anybody(
    impatient: World, caplog: pytest.LogCaptureFixture
) -> None:
    world = impatient
    with caplog.at_level("INFO", "schedulerd.scheduler.health"):
        with locked(world):
            world.turn(minutes=1)
            was_away, troubles = world.core.store_is_away, world.core.health.troubles
            world.turn(seconds=1)
            troubles += world.core.health.troubles
        world.turn(seconds=1)

    assert (was_away, world.core.store_is_away) == (True, False)
    assert (troubles, caplog.messages) == ((), [])


def test_an_outage_that_the_store_has_waited_out_is_told_at_once_and_as_of_its_beginning(
    impatient: World, caplog: pytest.LogCaptureFixture
) -> None:
    world, began = impatient, impatient.clock.now()

    def while_time_passes() -> Iterator[Message]:
        world.clock.advance(seconds=2)
        yield Tick()

    with caplog.at_level("INFO", "schedulerd.scheduler.health"):
        with locked(world):
            world.core.turn(while_time_passes())
            (trouble,) = world.core.health.troubles
        world.turn(seconds=1)

    assert (trouble.kind, trouble.since) == (TroubleKind.DATABASE, began)
    assert caplog.messages == ["trouble", "trouble_over"]
    assert vars(caplog.records[1])["seconds"] == 3.0


def test_definitions_that_change_during_an_outage_count_after_it(impatient: World) -> None:
    world = impatient
    with locked(world):
        world.define(a_command(), a_command("report"))

    world.turn()

    with world.database.read() as tx:
        assert tx.flows.names() == ["dump", "report"]


def test_a_wish_is_granted_after_an_outage(impatient: World) -> None:
    world = impatient
    key = world.started()
    world.ask_cancel(key)
    with locked(world):
        world.turn()
        assert world.spawner.stops == []

    world.turn()

    assert [stop.key for stop in world.spawner.stops] == [key_of(world, key)]


def test_a_run_that_cannot_be_prepared_keeps_no_other_from_being_cancelled(world: World) -> None:
    key = world.started()
    hidden = world.folders.ready.rename(world.folders.ready.with_name("elsewhere"))
    world.ask_for("dump")
    world.turn()
    world.ask_cancel(key)

    world.turn()
    hidden.rename(world.folders.ready)

    assert [stop.key for stop in world.spawner.stops] == [key_of(world, key)]


def test_a_run_that_is_lost_during_an_outage_does_not_end_the_daemon(impatient: World) -> None:
    world = impatient
    key = world.ask_for("dump")
    world.turn()
    folder = key_of(world, key)
    world.turn(world.spawner.begin(folder), world.spawner.die())
    world.folders.remove(folder)

    with locked(world):
        world.turn(ProcessEnded(key=folder))
    for _ in range(2):
        world.turn()

    assert world.run(key).state is RunState.CRASHED


# -- a commit of unknown outcome ----------------------------------------------------------------------------------


def test_a_claim_that_seemed_to_fail_is_taken_up(world: World) -> None:
    key = world.ask_for("dump")
    with world.database.write() as tx:  # what a commit does whose answer was lost
        tx.runs.claim(
            10, now=world.clock.now(), agent="agent-1", boot_id=world.boot, limits=Limits(max_running=16)
        )

    for _ in range(12):
        world.turn()

    assert world.spawner.keys == [key_of(world, key)]


def test_records_that_were_committed_already_are_not_taken_again(world: World) -> None:
    key = world.started()
    attempt = world.attempts.get(key_of(world, key))
    assert attempt is not None
    world.says(key, LINE % "once")
    world.turn()
    attempt.position = Position()  # as if the answer to every commit had been lost

    world.turn()
    world.says(key, LINE % "twice")
    world.turn()

    with world.database.read() as tx:
        assert [one.line.message for one in tx.logs.lines(key, limit=10)] == ["once", "twice"]


def test_a_last_word_whose_commit_seemed_to_fail_counts(world: World) -> None:
    key = world.started()
    folder = key_of(world, key)
    attempt = world.attempts.get(folder)
    assert attempt is not None
    before = attempt.position
    world.says(key, '{"k":"end","t":1795327200000001,"s":"failed","m":"ValueError: no"}')
    world.turn()
    attempt.position, attempt.last_word = before, None  # as if the answer to that commit had been lost

    world.turn(world.spawner.end(folder, status=1))
    world.turn()

    assert world.run(key).reason == "ValueError: no"


def test_a_wish_whose_commit_seemed_to_fail_is_granted(world: World) -> None:
    key = world.started()
    with world.database.write() as tx:
        tx.runs.move(key, RunState.CANCELLING, at=world.clock.now(), actor="kim")

    for _ in range(12):
        world.turn()

    assert [stop.key for stop in world.spawner.stops] == [key_of(world, key)]


# -- records that the database refuses ----------------------------------------------------------------------------

POISON = LINE % "poison"


@pytest.fixture
def refusing(world: World) -> World:
    """A core whose database refuses one line."""
    with closing(sqlite3.connect(world.state_dir.parent / "schedulerd.db")) as other:
        other.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON log_lines WHEN NEW.message = 'poison'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    return world


def test_a_run_whose_records_are_refused_is_run_once_and_ends(refusing: World) -> None:
    world = refusing
    key = world.ask_for("dump")
    world.turn()
    folder = key_of(world, key)
    taken = world.spawner.begin(folder)
    world.says(key, START, POISON)

    world.turn(taken, world.spawner.end(folder, status=0))
    for _ in range(12):
        world.turn()

    assert world.spawner.keys == [folder]
    assert world.run(key).state is RunState.COMPLETED


def test_a_run_whose_records_are_refused_holds_up_no_other(refusing: World) -> None:
    world = refusing
    bad, good = world.started(), world.started()
    world.says(bad, POISON)
    world.says(good, LINE % "good")

    world.turn(world.spawner.end(key_of(world, good)))

    assert world.run(good).state is RunState.COMPLETED


# -- wishes -------------------------------------------------------------------------------------------------------


def test_a_run_that_waits_for_its_time_is_cancelled_at_once(world: World) -> None:
    key = world.ask_for("dump", due_at=NOW + timedelta(hours=1))
    world.ask_cancel(key)

    world.turn()

    assert (world.run(key).state, world.run(key).reason) == (RunState.CANCELLED, "cancelled by kim")
    assert world.spawner.asked == []


def test_a_run_that_is_being_started_is_ended_when_it_was_taken(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    world.ask_cancel(key)
    world.turn()
    assert world.run(key).state is RunState.CANCELLING
    assert world.spawner.stops == []

    folder = key_of(world, key)
    world.turn(world.spawner.begin(folder))
    assert [stop.key for stop in world.spawner.stops] == [folder]

    world.turn(world.spawner.end(folder, status=None, signal=15, stopped="cancel"))
    assert world.run(key).state is RunState.CANCELLED


def test_a_prepared_run_that_is_cancelled_starts_nowhere(world: World) -> None:
    world.spawner.is_deaf = True
    key = world.ask_for("dump")
    world.turn()
    folder = key_of(world, key)
    world.ask_cancel(key)

    world.turn()
    world.turn()

    assert world.run(key).state is RunState.CANCELLED
    assert world.spawner.take(folder).said == wire.Gone(key=folder)


def test_a_running_run_is_told_to_end_once_with_its_grace(world: World) -> None:
    key = world.started()
    world.ask_cancel(key)

    for _ in range(3):
        world.turn()

    assert world.spawner.stops == [
        wire.Stop(key=key_of(world, key), why="cancel", grace=GRACE.total_seconds())
    ]


def test_a_run_that_completes_while_it_is_cancelled_is_cancelled(world: World) -> None:
    key = world.started()
    world.ask_cancel(key)
    world.turn()

    world.turn(world.spawner.end(key_of(world, key), status=0))

    assert world.run(key).state is RunState.CANCELLED


def test_a_wish_for_a_run_that_has_ended_meanwhile_is_forgotten(world: World) -> None:
    key = world.started()
    world.ask_cancel(key)
    world.turn(world.spawner.end(key_of(world, key)))
    world.turn()

    with world.database.read() as tx:
        assert tx.runs.cancel_wishes() == []
    assert world.run(key).state in (RunState.COMPLETED, RunState.CANCELLED)


def test_a_run_that_is_being_cancelled_when_the_daemon_dies_is_cancelled_by_the_next(world: World) -> None:
    key = world.ask_for("dump")
    world.turn()
    world.ask_cancel(key)
    world.turn()

    world.start_again()
    for _ in range(3):
        world.turn()

    assert world.run(key).state is RunState.CANCELLED
    assert world.spawner.keys == []


# -- how many at a time -------------------------------------------------------------------------------------------


def test_no_more_runs_are_live_than_there_are_slots(sqlite_database: Database, tmp_path: Path) -> None:
    world = World(sqlite_database, tmp_path / "state", max_running=2)
    world.define(a_command())
    keys = [world.ask_for("dump") for _ in range(5)]
    world.turn()
    assert world.states() == ["pending"] * 2 + ["scheduled"] * 3

    for key in keys:
        folder = key_of(world, key)
        world.turn(world.spawner.begin(folder), seconds=0.01)
        world.turn(world.spawner.end(folder), seconds=0.01)
        assert world.core.running_count <= 2

    assert world.states() == ["completed"] * 5


def test_a_free_slot_is_given_in_the_turn_in_which_it_becomes_free(
    sqlite_database: Database, tmp_path: Path
) -> None:
    world = World(sqlite_database, tmp_path / "state", max_running=1)
    world.define(a_command())
    first, second = world.ask_for("dump"), world.ask_for("dump")
    world.turn()
    folder = key_of(world, first)
    world.turn(world.spawner.begin(folder), seconds=0.01)

    world.turn(world.spawner.end(folder), seconds=0.01)

    assert world.spawner.keys == [folder, key_of(world, second)]


# -- stopping -----------------------------------------------------------------------------------------------------


def test_a_daemon_that_leaves_its_runs_ends_at_once(world: World) -> None:
    key = world.started()
    world.core.post(Stop(how="leave"))

    world.core.run()

    assert world.run(key).state is RunState.RUNNING
    assert world.spawner.stops == []


def test_a_daemon_leaves_also_a_run_that_writes_faster_than_it_can_be_read(world: World) -> None:
    key = world.started()
    turns = 0

    def write_on() -> None:
        nonlocal turns
        turns += 1
        assert turns < 10, "the daemon does not end"
        world.says(key, *["x" * 60_000] * 20, name="stdout.log")

    world.clock.step = 0.015  # reading takes its time
    world.on_turn = write_on
    write_on()
    world.core.post(JournalGrew(key=key_of(world, key)))
    world.core.post(Stop(how="leave"))

    world.core.run()

    assert world.run(key).state is RunState.RUNNING


def test_a_daemon_that_cancels_ends_its_runs_though_the_database_is_away(impatient: World) -> None:
    world = impatient
    key = world.started()
    with locked(world):
        for _ in range(3):
            world.turn(Stop(how="cancel"))

    assert [stop.key for stop in world.spawner.stops] == [key_of(world, key)]


def test_a_daemon_that_drains_waits_for_its_runs_and_starts_no_more(world: World) -> None:
    going = world.started()
    late = world.ask_for("dump")
    ends: list[Message] = [Tick(), world.spawner.end(key_of(world, going))]
    world.on_turn = lambda: world.core.post(ends.pop(0)) if ends else None
    world.core.post(Stop(how="drain", patience=60))

    world.core.run()

    assert world.run(going).state is RunState.COMPLETED
    assert world.run(late).state is RunState.SCHEDULED


def test_a_daemon_that_drains_leaves_what_outlasts_its_patience(world: World) -> None:
    key = world.started()

    def pass_time() -> None:
        world.clock.advance(seconds=0.2)
        world.core.post(Tick())

    world.on_turn = pass_time
    world.core.post(Stop(how="drain", patience=2))

    world.core.run()

    assert world.run(key).state is RunState.RUNNING
    assert world.spawner.stops == []


def test_a_daemon_that_cancels_ends_its_runs_first(world: World) -> None:
    key = world.started()
    folder = key_of(world, key)
    said: list[Tick | SpawnerSpoke] = [Tick()]

    def answer() -> None:
        world.clock.advance(seconds=1)
        if world.spawner.stops and said == []:
            said.append(world.spawner.end(folder, status=None, signal=15, stopped="cancel"))
            world.core.post(said[-1])
        elif said == [Tick()]:
            world.core.post(said.pop())

    world.on_turn = answer
    world.core.post(Stop(how="cancel"))

    world.core.run()

    assert world.run(key).state is RunState.CANCELLED
    with world.database.read() as tx:
        assert "the daemon stopped" in [move.message for move in tx.runs.moves(key)]


# -- definitions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        each_minute("bad", when=Cron(expression="61 * * * *")),
        each_minute("bad\udcff"),
    ],
    ids=["an expression that is none", "a name that no database holds"],
)
def test_a_bad_definition_costs_itself_and_nothing_else(world: World, bad: ScheduleDefinition) -> None:
    world.define(a_command(), bad, a_command("good"))

    with world.database.read() as tx:
        assert "good" in tx.flows.names()


def test_a_reload_is_done_when_all_that_is_there_has_been_read_and_applied(world: World) -> None:
    done: list[bool] = []
    world.turn(Reload(done=lambda: done.append(True)))
    assert done == []

    world.turn(
        DefinitionsChanged(
            flow_files=frozenset(), look_at=frozenset(), schedules=bundled([a_command("report")]), whole=True
        )
    )

    assert done == [True]
    with world.database.read() as tx:
        assert tx.flows.names() == ["report"]


def test_a_schedule_that_is_gone_starts_nothing_more_and_its_runs_go_on(world: World) -> None:
    world.define(each_minute())
    world.turn(minutes=1)
    (run,) = world.runs()
    world.turn(world.spawner.begin(run.folder))

    world.turn(DefinitionsChanged(flow_files=frozenset(), look_at=frozenset(), schedules={}))
    world.turn(minutes=5)
    world.turn(world.spawner.end(run.folder))

    assert [one.state for one in world.runs()] == [RunState.COMPLETED]


def test_ready_is_said_when_the_spawner_is(world: World) -> None:
    assert not world.core.is_ready

    world.turn(SpawnerSpoke(said=wire.Ready(threads=1)))

    assert world.core.is_ready
