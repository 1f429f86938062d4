"""What is in force, of all that the files say. Pure.

There may be very many schedules, and few of them change at a time. So each file is judged by itself, and what it came to
is remembered: it counts as long as nothing is another that was looked at.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.bundles import Bundle, bundled
from schedulerd.domain.failures import Failure
from schedulerd.domain.flows import FileDefinition, FlowDefinition
from schedulerd.domain.resolution import Resolution, command_flow
from schedulerd.domain.schedules import Caused, FileAppears, ScheduleDefinition

Errors = Mapping[str, tuple[Failure, ...]]
_ALL: Final = 1 << 62


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """The flow files, each with the flows whose names it holds; the commands; the schedules; and what is wrong."""

    files: tuple[FileDefinition, ...]
    commands: tuple[FlowDefinition, ...]
    schedules: tuple[ScheduleDefinition, ...]
    errors: Errors


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """The same with the schedules packed, by the file that they come from: what has not changed is the same bundle as before.

    `caused` are those of the schedules that have causes in place of due times.
    """

    files: tuple[FileDefinition, ...]
    schedules: Mapping[str, Bundle]
    caused: tuple[ScheduleDefinition, ...]
    errors: Errors

    @property
    def awaited(self) -> tuple[FileAppears, ...]:
        """The files that schedules wait for."""
        return tuple(one.when for one in self.caused if one.enabled and isinstance(one.when, FileAppears))


def resolve(files: Iterable[FileDefinition], schedules: Iterable[ScheduleDefinition]) -> InForce:
    """Decide what counts.

    A flow's name is held by the first file by path; a schedule file's names go before those in flow files. What
    loses, and a schedule that has nothing to run or whose parameters do not fit, is an error at its file.
    """
    found = Resolver().resolve(files, bundled(schedules))
    in_force = tuple(one for bundle in found.schedules.values() for one in bundle)
    commands = tuple(command_flow(one) for one in in_force if one.command is not None)
    return InForce(files=found.files, commands=commands, schedules=in_force, errors=found.errors)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Judgement:
    """That all schedules of a file count: nothing is wrong with any, and none has causes, which are judged together with
    those of other files.

    It lasts as long as the flows that they run are as they were, and all names are free: also those of flows, for the
    `commands` among them.
    """

    of: Bundle
    commands: frozenset[str]
    runs: Mapping[str, FlowDefinition | None]


class Resolver:
    """Decides what counts, as `resolve` does, and remembers what the files came to the last time."""

    def __init__(self) -> None:
        self._judged: Mapping[str, _Judgement] = {}
        self._of_flow_files: dict[str, tuple[FileDefinition, Bundle]] = {}

    def resolve(self, files: Iterable[FileDefinition], schedules: Mapping[str, Bundle]) -> Resolved:
        """What counts now that the flow files and the schedule files, in this order, say this."""
        while (found := self.resolve_some(files, schedules, most=_ALL)) is None:
            pass
        return found

    def resolve_some(
        self, files: Iterable[FileDefinition], schedules: Mapping[str, Bundle], *, most: int
    ) -> Resolved | None:
        """The same, or None after about so many schedules that were not known: ask again, and it goes on after them."""
        work = _Work(self._judged)
        held = [work.resolution.hold(file) for file in sorted(files, key=lambda one: one.file)]
        work.flow_names = frozenset(work.resolution.flows)
        for file, bundle in (*schedules.items(), *self._bundles_of(held)):
            if work.learned >= most:
                self._judged = {**self._judged, **work.lasting}
                return None
            work.judge(file, bundle)
        work.resolution.refuse_chains()
        self._judged = work.lasting
        return Resolved(
            files=tuple(held),
            schedules=dict(work.counting()),
            caused=tuple(one for one in work.resolution.schedules.values() if isinstance(one.when, Caused)),
            errors={file: tuple(failures) for file, failures in work.resolution.errors.items()},
        )

    def _bundles_of(self, held: Iterable[FileDefinition]) -> Iterator[tuple[str, Bundle]]:
        """The schedules that flow files carry; the same bundle as long as a file is the same."""
        known, self._of_flow_files = self._of_flow_files, {}
        for file in held:
            schedules = [schedule for flow in file.flows for schedule in flow.schedules]
            if not schedules:
                continue
            before = known.get(file.file)
            bundle = before[1] if before is not None and before[0] == file else Bundle(schedules)
            self._of_flow_files[file.file] = (file, bundle)
            yield file.file, bundle


class _Work:
    """One pass over the files, in which of so many schedules something was `learned` that lasts. The schedules of a file whose judgement does not last stay unpacked until its end."""

    def __init__(self, known: Mapping[str, _Judgement]) -> None:
        self._known: Final = known
        self._names: set[str] = set()
        self._order: list[tuple[str, Bundle]] = []
        self.lasting: dict[str, _Judgement] = {}
        self.learned = 0
        self.flow_names: frozenset[str] = frozenset()
        self.resolution: Final = Resolution(command_elsewhere=self._command, holder_elsewhere=self._holder)

    def judge(self, file: str, bundle: Bundle) -> None:
        """Decide about the schedules of a file, or take over what was decided of them."""
        self._order.append((file, bundle))
        known = self._known.get(file)
        if known is None or known.of is not bundle or not self._still_holds(known):
            known = self._judged_anew(bundle)
            self.learned += len(bundle) if known is not None else 0
        if known is not None:
            self.lasting[file] = known
            self._names |= bundle.names

    def counting(self) -> Iterator[tuple[str, Bundle]]:
        """The schedules that count, by file."""
        left = dict(self.resolution.schedules)
        for file, bundle in self._order:
            if file in self.lasting:
                yield file, bundle
            elif counting := [left.pop(one.name) for one in bundle if left.get(one.name) == one]:
                yield file, bundle if len(counting) == len(bundle) else Bundle(counting)

    def _still_holds(self, known: _Judgement) -> bool:
        return (
            self._names.isdisjoint(known.of.names)
            and self.resolution.schedules.keys().isdisjoint(known.of.names)
            and self.flow_names.isdisjoint(known.commands)
            and all(self.resolution.flow(name) == flow for name, flow in known.runs.items())
        )

    def _judged_anew(self, bundle: Bundle) -> _Judgement | None:
        """None where it does not last: then what counts is among the schedules of the resolution."""
        resolution, has_causes = self.resolution, False
        runs: dict[str, FlowDefinition | None] = {}
        commands: set[str] = set()
        wrong = _count(resolution.errors)
        for schedule in bundle:
            resolution.take(schedule)
            has_causes |= isinstance(schedule.when, Caused)
            if schedule.command is not None:
                commands.add(schedule.name)
            elif schedule.flow is not None and schedule.flow not in runs:
                runs[schedule.flow] = resolution.flow(schedule.flow)
        if has_causes or _count(resolution.errors) > wrong:
            return None
        resolution.forget(bundle.names, commands)
        names = bundle.names if len(commands) == len(bundle) else frozenset(commands)
        return _Judgement(of=bundle, commands=names, runs=runs)

    def _command(self, name: str) -> FlowDefinition | None:
        found = next((one for one in self.lasting.values() if name in one.commands), None)
        return None if found is None else command_flow(found.of.named(name))

    def _holder(self, name: str) -> ScheduleDefinition | None:
        if name not in self._names:
            return None
        return next(one for one in self.lasting.values() if name in one.of.names).of.named(name)


def _count(errors: Mapping[str, list[Failure]]) -> int:
    return sum(map(len, errors.values()))
