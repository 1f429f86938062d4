"""The attempts of a task run."""

import pytest

from schedulerd.domain.states import TaskState
from schedulerd.domain.tasks import TaskAttempt, TaskRun, whole_attempts
from tests.builders import A_SECOND, NOW

DONE, RUNNING, RETRYING = TaskState.COMPLETED, TaskState.RUNNING, TaskState.RETRYING


def told(attempt: int, start: int | None = None, end: int | None = None) -> TaskAttempt:
    """An attempt, from a second to another."""
    at = [None if one is None else NOW + one * A_SECOND for one in (start, end)]
    return TaskAttempt(number=1, attempt=attempt, started_at=at[0], ended_at=at[1])


@pytest.mark.parametrize(
    ("state", "attempt", "end", "known", "expected"),
    [
        pytest.param(DONE, 1, 5, [], [], id="not tried again"),
        pytest.param(RETRYING, 1, None, [told(1, None, 2)], [told(1, 0, 2)], id="waits for the second"),
        pytest.param(
            RUNNING, 2, None, [told(1, None, 2), told(2, 3)], [told(1, 0, 2), told(2, 3)], id="in the second"
        ),
        pytest.param(
            DONE, 2, 5, [told(1, None, 2), told(2, 3)], [told(1, 0, 2), told(2, 3, 5)], id="after the second"
        ),
        pytest.param(
            TaskState.CRASHED, 1, 9, [told(1, None, 2)], [], id="its run ended while it waited for the second"
        ),
        pytest.param(
            TaskState.CRASHED,
            2,
            9,
            [told(1, None, 2), told(2, 3, 4)],
            [told(1, 0, 2), told(2, 3, 4)],
            id="its run ended while it waited for the third",
        ),
        pytest.param(
            RUNNING,
            2,
            None,
            [told(1, None, 2), told(2, 3, -7)],
            [told(1, 0, 2), told(2, 3)],
            id="begun anew in another attempt of its run",
        ),
        pytest.param(DONE, 2, 5, [], [], id="from before attempts were told of"),
        pytest.param(DONE, 3, 9, [told(2, 3, 4), told(3, 5)], [], id="the end of the first was lost"),
    ],
)
def test_what_is_told_of_attempts_is_put_together(
    state: TaskState, attempt: int, end: int | None, known: list[TaskAttempt], expected: list[TaskAttempt]
) -> None:
    task = TaskRun(
        number=1,
        name="load",
        state=state,
        attempt=attempt,
        started_at=NOW,
        ended_at=None if end is None else NOW + end * A_SECOND,
    )

    assert list(whole_attempts(task, known)) == expected
