"""What the tasks of several runs came to, on each database."""

from datetime import timedelta

from schedulerd.domain.states import RunState, TaskState
from schedulerd.store.database import Database
from schedulerd.store.tasks import TaskSum
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, a_task, add_in, an_intake


def test_task_runs_are_summed_by_name_and_state_and_those_that_go_on_are_left_out(database: Database) -> None:
    with database.write() as tx:
        flow = a_scene(tx).flow
        first, second, other = (add_in(tx, flow, RunState.RUNNING) for _ in range(3))
        for run, seconds in ((first, 2), (second, 4), (other, 100)):
            long = {"started_at": NOW, "ended_at": NOW + seconds * A_SECOND}
            tasks = (
                a_task(1, TaskState.COMPLETED, **long),
                a_task(2, TaskState.FAILED, **long),
                a_task(3, TaskState.UPSTREAM_FAILED, started_at=None),
                a_task(4),
            )
            tx.intake.take([an_intake(run, moves=(), tasks=tasks)])

        found = tx.tasks.sums([first, second])
        nothing = tx.tasks.sums([])

    def total(state: TaskState, timed: int, took: timedelta) -> TaskSum:
        return TaskSum(name="extract", state=state, count=2, timed=timed, took=took)

    assert sorted(found, key=lambda one: one.state) == [
        total(TaskState.COMPLETED, 2, 6 * A_SECOND),
        total(TaskState.FAILED, 2, 6 * A_SECOND),
        total(TaskState.UPSTREAM_FAILED, 0, timedelta()),
    ]
    assert [one.is_bad for one in sorted(found, key=lambda one: one.state)] == [False, True, False]
    assert nothing == []


def test_a_clock_that_was_set_back_takes_nothing_away(database: Database) -> None:
    with database.write() as tx:
        run = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        back = a_task(1, TaskState.COMPLETED, started_at=NOW, ended_at=NOW - A_SECOND)
        tx.intake.take([an_intake(run, moves=(), tasks=(back,))])

        (found,) = tx.tasks.sums([run])

    assert found.took == timedelta()
