"""The attempts of tasks that were tried again, on each database."""

from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskAttempt
from schedulerd.store.database import Database
from tests.builders import A_SECOND, NOW
from tests.store.scenes import a_scene, a_task, add_in, an_intake

T0, T1, T2, T3 = (NOW + second * A_SECOND for second in range(4))
FIRST_ENDED = TaskAttempt(number=1, attempt=1, ended_at=T1)
SECOND_BEGAN = TaskAttempt(number=1, attempt=2, started_at=T2)


def test_each_attempt_is_kept_however_many_looks_it_was_told_in(database: Database) -> None:
    waiting = a_task(1, TaskState.RETRYING, started_at=None)
    again = a_task(1, TaskState.RUNNING, attempt=2, started_at=None)
    over = a_task(1, TaskState.COMPLETED, attempt=2, started_at=None, ended_at=T3)
    with database.write() as tx:
        flow = a_scene(tx).flow
        at_once, bit_by_bit, plain = (add_in(tx, flow, RunState.RUNNING) for _ in range(3))
        end = Position(journal=400)
        tx.intake.take(
            [
                an_intake(
                    at_once,
                    now=end,
                    moves=(),
                    tasks=(a_task(), waiting, again, over),
                    attempts=(FIRST_ENDED, SECOND_BEGAN),
                ),
                an_intake(plain, moves=(), tasks=(a_task(1, TaskState.COMPLETED),)),
            ]
        )
        steps = ((a_task(), ()), (waiting, (FIRST_ENDED,)), (again, (SECOND_BEGAN,)), (over, ()))
        for number, (task, attempts) in enumerate(steps):
            was, now = Position(journal=100 * number), Position(journal=100 * number + 100)
            tx.intake.take(
                [an_intake(bit_by_bit, was=was, now=now, moves=(), tasks=(task,), attempts=attempts)]
            )

        found = [tx.tasks.tasks(run)[0].attempts for run in (at_once, bit_by_bit, plain)]

    whole = (
        TaskAttempt(number=1, attempt=1, started_at=T0, ended_at=T1),
        TaskAttempt(number=1, attempt=2, started_at=T2, ended_at=T3),
    )
    assert found == [whole, whole, ()]
