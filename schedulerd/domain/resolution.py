"""Who holds a name, and whether a schedule has something to run: what the files say, judged one after the other. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from schedulerd.domain.bundles import file_of
from schedulerd.domain.cause_values import EACH_MEMBER
from schedulerd.domain.chains import Chains
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowDefinition, FlowKind
from schedulerd.domain.names import near_names
from schedulerd.domain.parameters import check_parameters, require_storable, without_required
from schedulerd.domain.schedules import After, FileAppears, ScheduleDefinition, Webhook
from schedulerd.errors import BadParameters

_LONGEST_NAME: Final = 250


class Resolution:
    """The names as they are handed out.

    `flows` are those of files and of the commands that were judged here, `schedules` what was taken. What an earlier
    judgement has found is asked for: `command_elsewhere` gives a command's flow, `holder_elsewhere` a schedule, each by
    its name.
    """

    def __init__(
        self,
        *,
        command_elsewhere: Callable[[str], FlowDefinition | None] = lambda _: None,
        holder_elsewhere: Callable[[str], ScheduleDefinition | None] = lambda _: None,
    ) -> None:
        self.flows: dict[str, FlowDefinition] = {}
        self.schedules: dict[str, ScheduleDefinition] = {}
        self.errors: dict[str, list[Failure]] = {}
        self._command_elsewhere: Final = command_elsewhere
        self._holder_elsewhere: Final = holder_elsewhere

    def hold(self, file: FileDefinition) -> FileDefinition:
        """The file with those of its flows whose names were still free."""
        held = []
        for flow in file.flows:
            if not is_storable(flow.name):
                self._refuse(
                    file.file,
                    f"{flow.name!r} cannot be the name of a flow: it has at most 250 characters, all of them visible",
                )
                continue
            holder = self.flows.setdefault(flow.name, flow)
            if holder is flow:
                held.append(flow)
            else:
                self._refuse(file.file, f"the flow name {flow.name!r} is taken by {holder.file}")
        return replace(file, flows=tuple(held))

    def take(self, schedule: ScheduleDefinition) -> None:
        """Take a schedule, or say what is wrong with it."""
        fault = self._name_fault(schedule) or self._hook_fault(schedule)
        if fault is None:
            fault = self._take_command(schedule) if schedule.command is not None else self._fault(schedule)
        if fault is None:
            self.schedules[schedule.name] = schedule
        else:
            self._refuse(schedule.origin, fault)

    def forget(self, names: Iterable[str], commands: Iterable[str]) -> None:
        """Let go of schedules that are kept elsewhere from now on, and of the flows of those that are commands."""
        for name in names:
            del self.schedules[name]
        for name in commands:
            del self.flows[name]

    def flow(self, name: str) -> FlowDefinition | None:
        """What runs by this name."""
        return self.flows.get(name) or self._command_elsewhere(name)

    def refuse_chains(self) -> None:
        """Take back what comes after a flow that is not there, or after itself, by whatever way."""
        while (found := self._first_bad_chain()) is not None:
            schedule, fault = found
            del self.schedules[schedule.name]
            if schedule.command is not None:
                del self.flows[schedule.name]
            self._refuse(schedule.origin, f"schedule {schedule.name!r}: {fault}")

    def _first_bad_chain(self) -> tuple[ScheduleDefinition, str] | None:
        """The first schedule that must not come after what it says it does, and why."""
        chains = Chains()
        for schedule in self.schedules.values():
            if not isinstance(schedule.when, After):
                continue
            for flow in schedule.when.flows:
                if self.flow(flow) is None:
                    return schedule, f"there is no flow {flow!r} to come after{_hint(flow, self.flows)}"
            runs = schedule.flow or schedule.name
            if circle := chains.circle(runs, schedule.when.flows):
                return schedule, f"it would never end: {' after '.join(circle)}"
            chains.add(runs, schedule.when.flows)
        return None

    def _name_fault(self, schedule: ScheduleDefinition) -> str | None:
        """Why it cannot be called so."""
        if not is_storable(schedule.name):
            return f"{schedule.name!r} cannot be the name of a schedule: it has at most 250 characters, all of them visible"
        holder = self.schedules.get(schedule.name) or self._holder_elsewhere(schedule.name)
        return None if holder is None else f"the schedule name {schedule.name!r} is taken by {holder.origin}"

    def _hook_fault(self, schedule: ScheduleDefinition) -> str | None:
        """Why its webhook cannot be had: each is one schedule's."""
        if not isinstance(schedule.when, Webhook):
            return None
        hook = schedule.when.hook
        for other in self.schedules.values():
            if isinstance(other.when, Webhook) and other.when.hook == hook:
                return f"schedule {schedule.name!r}: the webhook {hook!r} is taken by {other.origin}"
        return None

    def _take_command(self, schedule: ScheduleDefinition) -> str | None:
        holder = self.flows.get(schedule.name)
        if holder is not None:
            return f"the name {schedule.name!r} is taken by the flow of {holder.file}"
        self.flows[schedule.name] = command_flow(schedule)
        return None

    def _fault(self, schedule: ScheduleDefinition) -> str | None:
        flow = self.flow(schedule.flow or "")
        if flow is None:
            hint = _hint(schedule.flow or "", self.flows)
            return f"schedule {schedule.name!r}: there is no flow {schedule.flow!r}{hint}"
        return _parameter_fault(schedule, flow)

    def _refuse(self, origin: str, reason: str) -> None:
        file, _, line = origin.rpartition(":")
        if not file or not line.isdigit():
            file, line = origin, ""
        failure = Failure(type="BadDefinition", message=reason, file=file, line=int(line) if line else None)
        self.errors.setdefault(file, []).append(failure)


def command_flow(schedule: ScheduleDefinition) -> FlowDefinition:
    """The flow that a schedule with a command is."""
    return FlowDefinition(
        name=schedule.name,
        kind=FlowKind.COMMAND,
        file=file_of(schedule),
        command=schedule.command or "",
        timeout_seconds=None if schedule.timeout is None else schedule.timeout.total_seconds(),
        surroundings=schedule.surroundings,
        environment=schedule.environment,
        stdin=schedule.stdin,
        mail_to=schedule.mail_to,
        pool=schedule.pool,
        priority=schedule.priority or 0,
        max_running=schedule.max_running,
        retrying=schedule.retrying,
    )


def is_storable(name: str) -> bool:
    """Can this be a name: something to see, and nothing that a database or a terminal cannot hold?"""
    return len(name.strip()) > 0 and len(name) <= _LONGEST_NAME and name.isprintable()


def _hint(name: str, known: Iterable[str]) -> str:
    near = near_names(name, list(known))
    return f"; did you mean {near[0]!r}?" if near else ""


def _parameter_fault(schedule: ScheduleDefinition, flow: FlowDefinition) -> str | None:
    given, schema = dict(schedule.parameters), flow.parameters
    name = _of_cause(schedule)
    if name == EACH_MEMBER:
        schema = without_required(schema, schema.get("required", ()))
    elif name is not None:
        what = "the file" if isinstance(schedule.when, FileAppears) else "the body"
        if name not in schema.get("properties", {}):
            return (
                f"schedule {schedule.name!r}: flow {flow.name!r} has no parameter {name!r} to be given {what}; "
                f'say which it is: parameter = "..."'
            )
        if name in given:
            return f"schedule {schedule.name!r}: the parameter {name!r} is {what}, and cannot be given too"
        if isinstance(schedule.when, FileAppears):
            given[name] = schedule.when.pattern
        schema = without_required(schema, [name])
    try:
        require_storable(flow.name, schema, given)
        check_parameters(flow.name, schema, given)
    except BadParameters as error:
        return f"schedule {schedule.name!r}: {error.message}"
    return None


def _of_cause(schedule: ScheduleDefinition) -> str | None:
    """The parameter that the flow is given by what makes it due; None where there is none."""
    when = schedule.when
    return when.parameter if isinstance(when, FileAppears | Webhook) else None
