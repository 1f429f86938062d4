"""What the API answers, told field by field: the shapes of `operations/*_shapes.py` as models. Nothing else may be in an answer."""

from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from schedulerd.domain.agents import AgentState
from schedulerd.domain.flows import FlowKind
from schedulerd.domain.health import TroubleKind
from schedulerd.domain.schedules import BlackoutAction, Catchup, DayMatch, Overlap
from schedulerd.domain.states import RunState

_MOMENT: Final = {"type": "string", "format": "date-time", "examples": ["2026-11-22T06:00:00.000Z"]}
Moment = Annotated[str, WithJsonSchema(_MOMENT)]
"""A moment: RFC 3339 in UTC, with milliseconds."""

LocalTime = Annotated[str, WithJsonSchema({"type": "string", "examples": ["2026-11-22T09:00:00"]})]
"""A local time of the schedule's zone, without an offset."""

T = TypeVar("T")


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Items(Answer, Generic[T]):
    """All of them."""

    items: list[T]


class Page(Answer, Generic[T]):
    """A page of a list. A cursor leads to the page beside it, and is null where there is none."""

    items: list[T]
    next_cursor: str | None
    prev_cursor: str | None


class FieldProblem(Answer):
    """What needs attention: a field of the body (`pointer`, RFC 6901) or a `parameter`; and of an expression which characters."""

    pointer: str | None = None
    parameter: str | None = None
    code: str
    detail: str
    start: int | None = None
    end: int | None = None


class ProblemAnswer(Answer):
    """What is wrong (RFC 9457). `type` leads to a page of this server that explains it; `mend` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    mend: str | None = None
    errors: list[FieldProblem] | None = None


class ErrorAnswer(Answer):
    """Why something did not complete."""

    type: str
    message: str
    file: str | None
    line: int | None
    task: str | None
    traceback: str | None


class SurroundingsAnswer(Answer):
    """What processes of runs are given. Of variables of the environment only the names are told."""

    user: str | None
    environment: list[str]
    env_file: str | None
    directory: str | None
    umask: str | None
    leave_children: bool
    nice: int | None
    memory_bytes: int | None
    cpu_time_ms: int | None
    open_files: int | None


class LastRunAnswer(Answer):
    """The newest run of a flow."""

    number: int
    state: RunState
    ended_at: Moment | None


class FlowAnswer(Answer):
    """A flow, as its file defines it. `parameters` is a JSON schema; `edges` are pairs of indices into `tasks`.

    `error` is what is wrong with the present content of its file; then the last good `version` stays in force.
    """

    name: str
    kind: FlowKind
    file: str
    entrypoint: str
    version: str | None
    description: str
    tags: list[str]
    parameters: dict[str, Any]
    tasks: list[str]
    edges: list[list[int]]
    schedules: list[str]
    timeout_ms: int | None
    surroundings: SurroundingsAnswer
    last_run: LastRunAnswer | None
    removed: bool
    error: ErrorAnswer | None


class VersionAnswer(Answer):
    """A version of a flow's code, and how many of its newest 1,000 runs had it."""

    version: str
    in_force: bool
    runs: int
    last_run_at: Moment | None


class GraphTask(Answer):
    """A task that is known before a run; `upstream` are those that it needs, by number."""

    number: int
    name: str
    upstream: list[int]


class GraphAnswer(Answer):
    """The tasks of a flow. A flow in plain Python may run others too: they are known once it ran."""

    flow: str
    version: str | None
    tasks: list[GraphTask]


class StripRun(Answer):
    """One of the last runs of a flow."""

    id: str
    number: int
    state: RunState
    reason: str
    started_at: Moment | None
    ended_at: Moment | None
    duration_ms: int | None


class StripAnswer(Answer):
    """The last runs of a flow, at most 30, the newest last; and how many there are of each state, or were `missed`."""

    flow: str
    counts: dict[str, int]
    items: list[StripRun]


class WhenAnswer(Answer):
    """When a schedule fires, or what makes it fire. What is not of its `kind` is left out."""

    kind: Literal["cron", "interval", "once", "rrule", "after", "file", "webhook", "reboot"]
    expression: str
    timezone: str
    day_match: DayMatch | None = None
    anchor: LocalTime | None = None
    flows: list[str] | None = None
    states: list[RunState] | None = None
    parameter: str | None = None
    hook: str | None = None
    secret: str | None = None


class WindowAnswer(Answer):
    """A window of a blackout: from each time of a cron expression, for so long."""

    cron: str
    duration_ms: int


class SpanAnswer(Answer):
    """A span of a blackout, from one local time up to another."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True)

    from_: Annotated[LocalTime, Field(alias="from")]
    to: LocalTime


class BlackoutAnswer(Answer):
    """When a schedule starts nothing."""

    action: BlackoutAction
    windows: list[WindowAnswer]
    spans: list[SpanAnswer]
    days: list[str]
    calendars: list[str]


class PoliciesAnswer(Answer):
    """What becomes of due times that were missed, or that come while a run still runs."""

    catchup: Catchup
    catchup_limit: int
    catchup_window_ms: int
    misfire_grace_ms: int
    overlap: Overlap
    queue_limit: int


class PauseAnswer(Answer):
    """Who paused it, when and why."""

    reason: str
    by: str
    at: Moment


class ScheduleAnswer(Answer):
    """A schedule. Of `flow` and `command` it has the one that it runs; `text` says in words when."""

    id: str
    name: str
    flow: str | None = None
    command: str | None = None
    when: WhenAnswer
    text: str
    parameters: dict[str, Any]
    start: LocalTime | None
    end: LocalTime | None
    jitter_ms: int
    blackout: BlackoutAnswer | None
    policies: PoliciesAnswer
    heartbeat: Any
    timeout_ms: int | None = None
    surroundings: SurroundingsAnswer | None = None
    enabled: bool
    paused: PauseAnswer | None
    next_due: Moment | None
    last_due: Moment | None
    origin: str


class NoteAnswer(Answer):
    """What may surprise about an expression."""

    code: str
    text: str


class FireAnswer(Answer):
    """A due time to come; `note` says what is odd about it, as where clocks change."""

    at: Moment
    local: str
    timezone: str
    schedule: str | None
    flow: str | None
    note: str


class ExplanationAnswer(Answer):
    """What an expression says."""

    expression: str
    when: WhenAnswer
    text: str
    notes: list[NoteAnswer]
    fires: list[FireAnswer]


class DrainAnswer(Answer):
    """Since when an agent starts no runs, who said so and why."""

    at: Moment
    by: str
    reason: str


class AgentAnswer(Answer):
    """An agent by its last sign of life, and whether that is too old to count. `status` is what the agent shows of itself.

    `state`: `draining` where it was told to start no runs (`drain`), `other_version` where it is not of this server's.
    """

    name: str
    host: str
    pid: int
    version: str
    started_at: Moment
    beat_at: Moment
    online: bool
    state: AgentState
    drain: DrainAnswer | None
    status: dict[str, Any]


class GoingRunAnswer(Answer):
    """A run that holds a place of an agent. `usual_end`: when runs of its flow usually have ended; not told in the list of all agents."""

    id: str
    name: str
    state: RunState
    started_at: Moment | None
    usual_end: Moment | None


class AgentRunsAnswer(AgentAnswer):
    """An agent, and the runs that hold its places: those that its drain waits for."""

    runs: list[GoingRunAnswer]


class TroubleAnswer(Answer):
    """Something that is wrong since a moment, and what to do."""

    kind: TroubleKind
    reason: str
    since: Moment
    mend: str


class CountsAnswer(Answer):
    """How many runs go on and wait, counted up to 1,000."""

    running: int
    waiting: int


class FileErrorAnswer(Answer):
    """A flow file that cannot be taken as it is; `version` is the one of it that stays in force."""

    file: str
    line: int | None
    type: str
    message: str
    seen_at: Moment
    version: str | None


class SystemAnswer(Answer):
    """How the server does, as `schedulerd status` says it. What only the database knows is null while it does not answer."""

    running: bool
    ready: bool
    pid: int | None
    troubles: list[TroubleAnswer]
    silent_seconds: float
    state_dir: str
    database: str
    runs: CountsAnswer | None
    flows: int | None
    schedules: int | None
    next_due: Moment | None
    problems: list[FileErrorAnswer] | None
    agents: list[AgentAnswer] | None
    version: str


class VariableAnswer(Answer):
    """A value that flows share."""

    name: str
    value: Any
    tags: list[str]
    changed_at: Moment


class SecretAnswer(Answer):
    """That there is a secret of this name. Its value is shown to nobody."""

    name: str
    changed_at: Moment


class LimitAnswer(Answer):
    """A limit with a name: so many slots at a time, or with `per_second` by time; and the runs that hold some."""

    name: str
    slots: int
    taken: float
    per_second: float | None
    held_by: list[str]
