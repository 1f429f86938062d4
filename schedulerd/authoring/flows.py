"""What both kinds of flow share: a name, schedules, the place where they were made, registering and serving."""

from __future__ import annotations

from sys import _getframe

from schedulerd.authoring import loading
from schedulerd.authoring.context import FlowContext, flow_run, witnesses
from schedulerd.authoring.options import (
    max_running_of,
    pool_of,
    priority_of,
    refuse_unknown,
    tags_of,
    timeout_of,
)
from schedulerd.authoring.schedules import Cron, Interval, RRule, schedules_of
from schedulerd.authoring.surroundings import surroundings_said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from types import FrameType
    from typing import Any, NoReturn

    from schedulerd.authoring.recording import Ended
    from schedulerd.authoring.retries import Retries
    from schedulerd.authoring.runners import TaskRunner
    from schedulerd.authoring.schedules import Schedule

INFO, ERROR = 20, 40  # logging's numbers, without its import


class AnyFlow:
    """A flow of either style.

    `file` and `line` are where its module made it. `timeout_seconds` is enforced by the daemon, from outside the run;
    `surroundings` are what it gives to its runs, and `pool`, `priority` and `max_running` what it goes by when it starts
    them. `heartbeat` is for those of its schedules that have none of their own.
    """

    style = ""
    task_runner: TaskRunner | None = None
    retries_given: Retries | None = None
    retry_on_crash = False

    def __init__(
        self,
        name: str,
        *,
        schedule: Schedule | Iterable[Schedule] | None,
        description: str,
        tags: Iterable[str],
        timeout_seconds: float | timedelta | str | None,
        pool: str | None = None,
        priority: int = 0,
        max_running: int | None = None,
        surroundings: Mapping[str, Any] | None = None,
        heartbeat: str | Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"a flow needs a name, not {name!r}")
        self.name = name
        self.description = description
        self.tags = tags_of(tags)
        self.timeout_seconds = timeout_of(timeout_seconds)
        self.pool = pool_of(pool)
        self.priority = priority_of(priority)
        self.max_running = max_running_of(max_running)
        self.surroundings = surroundings_said("a flow", surroundings or {})
        self.heartbeat = heartbeat
        self.schedules = schedules_of(schedule)
        self.file, self.line = _place()
        loading.note_made(self)

    @property
    def schedule(self) -> Schedule | None:
        """The first schedule; assigning one, or a list, replaces all."""
        return self.schedules[0] if self.schedules else None

    @schedule.setter
    def schedule(self, given: Schedule | Iterable[Schedule] | None) -> None:
        self.schedules = schedules_of(given)

    def register(self, *args: Any, **kwargs: Any) -> Any:
        """Do nothing but say so: the daemon finds a flow by its file. Returns the flow's name."""
        if loading.is_loading():
            loading.note_done(self, "register", args, kwargs)
            return loading.placeholder()
        self._say("is found by its file; there is nothing to register")
        return self.name

    def serve(self, name: str | None = None, **options: Any) -> Any:
        """Add the schedules given (`cron`, `interval`, `rrule`, `schedule`, `schedules`) to the flow; the daemon serves them."""
        refuse_unknown("serve", options, known=_SERVING)
        return self._serve(name, options)

    def deploy(self, name: str | None = None, *_where: Any, **options: Any) -> Any:
        """The same under Prefect's other name: where and in which image it would have run there means nothing here."""
        refuse_unknown("deploy", options, known=(*_SERVING, *_DEPLOYING))
        return self._serve(name, options)

    def _serve(self, name: str | None, options: Mapping[str, Any]) -> Any:
        served = _served(options)
        if loading.is_loading():
            loading.note_done(self, "serve", () if name is None else (name,), options)
            self.schedules += served
            return loading.placeholder()
        if served:
            from schedulerd.authoring.schedule_times import (
                require,  # late: where a program serves, and says when
            )

            require(served, flow=self.name)
        self._say("is served by the daemon: put its file into a folder that schedulerd watches")
        return None

    @staticmethod
    def from_source(*_source: Any, **_options: Any) -> NoReturn:
        """Prefect's, which is not there: raises `ImportError` that says what to do instead."""
        from schedulerd.authoring.prefect_names import not_there

        raise not_there("schedulerd.flows.Flow", "from_source")

    def hooked_ends(self) -> frozenset[str]:
        """The final states of its runs, as they are recorded, for which it has hooks."""
        return frozenset()

    def perform(self, parameters: Mapping[str, Any], context: FlowContext) -> Ended:
        """Run within `context`, to a state of this style. Raises what ends more than the flow: a cancellation, an exit."""
        raise NotImplementedError

    def value(self, state: Any) -> Any:
        """What a run that ended in this state gave; None when nothing."""
        raise NotImplementedError

    def _context(self) -> FlowContext:
        """The context of a run that begins here: inline within the present run, before a witness, or on the console."""
        outer = flow_run.get()
        if outer is not None:
            return outer.nested(self.name)
        if witnesses:
            return witnesses[-1].context(self)
        from schedulerd.authoring.console import console_context  # late: loads logging

        return console_context(self.name)

    def _say(self, what: str) -> None:
        self._context().log(INFO, f"{self.name} {what}")


# What Prefect's `serve` and `deploy` take, in either generation.
_SERVING = (
    *("interval", "cron", "rrule", "schedule", "schedules", "parameters", "paused", "is_schedule_active"),
    *("description", "tags", "version", "triggers", "limit", "global_limit", "enforce_parameter_schema"),
    *("pause_on_shutdown", "print_starting_message", "webserver", "entrypoint_type"),
)
_DEPLOYING = (
    *("work_pool_name", "work_queue_name", "image", "build", "push", "job_variables", "infra_overrides"),
    *("concurrency_limit", "version_type", "print_next_steps", "ignore_warnings", "_sla"),
)


def _served(options: Mapping[str, Any]) -> tuple[Schedule, ...]:
    parameters = options.get("parameters")
    made: list[Schedule] = []
    if (cron := options.get("cron")) is not None:
        made += [Cron(one, parameters=parameters) for one in _several(cron)]
    if (interval := options.get("interval")) is not None:
        made += [Interval(one, parameters=parameters) for one in _several(interval)]
    if (rrule := options.get("rrule")) is not None:
        made += [RRule(one, parameters=parameters) for one in _several(rrule)]
    return (*made, *schedules_of(options.get("schedule")), *schedules_of(options.get("schedules")))


def _several(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _place() -> tuple[str, int]:
    """File and line of the module-level code that is being executed; ("", 0) when there is none.

    The innermost such frame: a flow that a helper makes belongs to the file that called the helper, one that is made
    while another module is imported belongs to that module.
    """
    frame: FrameType | None = _getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "", 0
