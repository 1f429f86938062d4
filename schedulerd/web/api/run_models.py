"""What the API answers about runs, as its schema tells it: the same shapes that `-o json` prints."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schedulerd.domain.runs import Trigger
from schedulerd.domain.states import RunState, TaskState


class Told(BaseModel):
    """An answer; nothing is in it that its schema does not name."""

    model_config = ConfigDict(extra="forbid")


class ErrorOut(Told):
    """Why something did not complete."""

    type: str
    message: str
    file: str | None
    line: int | None
    task: str | None
    traceback: str


class RunOut(Told):
    """A run, or a child run, which has a `root`. Times are RFC 3339 in UTC."""

    id: str
    flow: str
    number: int
    name: str
    flow_run_name: str | None
    state: RunState
    reason: str
    late: bool
    trigger: Trigger
    schedule: str | None
    due_at: str | None
    created_at: str | None
    pending_at: str | None
    started_at: str | None
    ended_at: str | None
    duration_ms: int | None
    attempt: int
    parameters: dict[str, Any]
    tags: list[str]
    pool: str | None
    priority: int
    agent: str | None
    pid: int | None
    version: str | None
    parent: str | None
    root: str | None
    task: int | None
    error: ErrorOut | None
    cpu_ms: int | None
    max_rss_bytes: int | None


class ChildOut(RunOut):
    """A run that the code of another called or asked for, with the beginning of what it returned."""

    result_preview: str | None


class TaskAttemptOut(Told):
    """When an attempt of a task run was."""

    attempt: int
    started_at: str | None
    ended_at: str | None
    duration_ms: int | None


class TaskOut(Told):
    """A task run; `upstream` are the ids of those before it, `attempts` told of one that was tried again."""

    id: int
    name: str
    map_index: int | None
    state: TaskState
    attempt: int
    started_at: str | None
    ended_at: str | None
    duration_ms: int | None
    attempts: list[TaskAttemptOut]
    upstream: list[int]
    result_preview: str | None
    error: ErrorOut | None


class GraphNodeOut(Told):
    """A task run, or all of a mapped task, which are a `group`. `task` is the id of the first; null: it has not begun."""

    key: str
    name: str
    task: int | None
    group: bool
    state: TaskState | None
    counts: dict[TaskState, int]
    after: list[str]


class RunGraphOut(Told):
    """The tasks of a run: each node with the keys of those before it. So many task runs and edges are `left_out`, for there are too many."""

    nodes: list[GraphNodeOut]
    left_out: int
    edges_left_out: int


class MoveOut(Told):
    """A change of state."""

    at: str
    was: Annotated[RunState, Field(alias="from")]
    to: RunState
    actor: str
    message: str


class RunDetailsOut(RunOut):
    """A run with what it is made of."""

    result_preview: str | None
    tasks: list[TaskOut]
    moves: list[MoveOut]
    children: list[ChildOut]


class CountOut(Told):
    """How many; there may be more of them where it is `at_least`."""

    count: int
    count_is: Literal["exact", "at_least"]


class CountsOut(Told):
    """How many runs fulfil the filter, by group of states, whatever states it has."""

    active: CountOut
    waiting: CountOut
    bad: CountOut
    ok: CountOut
    neutral: CountOut


class RunsOut(Told):
    """A page of runs, newest first. `searched_to`: the page is not full, for so far was looked; the cursor goes on."""

    items: list[RunOut]
    next_cursor: str | None
    prev_cursor: str | None
    searched_to: str | None
    count: int | None = None
    count_is: Literal["exact", "at_least"] | None = None
    counts: CountsOut | None = None


class ParamsOut(Told):
    """With what a run was asked for."""

    parameters: dict[str, Any]


class ArtifactOut(Told):
    """Something that a run made for people to see."""

    id: str
    key: str | None
    kind: str
    description: str
    task: int | None
    created_at: str
    changed_at: str
    data: Any


class AskedOut(RunOut):
    """A run that was asked for; it is not `is_new` where its key had it already."""

    is_new: bool
