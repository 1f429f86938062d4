"""The runs' own records, which schedulerd knows nothing of, read back as values."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Process:
    """A process by its pid and its start time."""

    pid: int
    start_time: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Begin:
    """That an attempt began, in which process. `at` is in microseconds, here and below."""

    at: int
    due: str
    process: Process


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """A numbered line that the run was about to log; `done_at` None: it was not seen to have done so."""

    channel: str
    number: int
    about_at: int
    done_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How the run says that it is about to end: `completed`, `failed`, `exited`, `died`."""

    at: int
    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one attempt of one run says that it did."""

    run: str
    attempt: int
    begins: tuple[Begin, ...]
    spoken: tuple[Spoken, ...]
    children: tuple[Process, ...]
    ends: tuple[End, ...]

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes that it was, and that it started."""
        return (*(begin.process for begin in self.begins), *self.children)


@dataclass(frozen=True, kw_only=True, slots=True)
class HookCall:
    """That a hook was called, in which process, for a run in which state."""

    at: int
    state: str
    process: Process
    is_done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class HookEffect:
    """What the hooks of one attempt of a run say that they did."""

    run: str
    attempt: int
    calls: tuple[HookCall, ...]


def read_hooks(records: Path) -> list[HookEffect]:
    """The records of all hooks."""
    return [_hook_effect(path.name, path.read_text().splitlines()) for path in sorted(records.iterdir())]


def _hook_effect(name: str, lines: Iterable[str]) -> HookEffect:
    run, _, attempt = name.rpartition(".")
    calls, done = [], set()
    for line in lines:
        time, word, *rest = line.split()
        if word == "called":
            calls.append((int(time), rest[0], _process(rest[1:])))
        else:
            done.add(_process(rest))
    return HookEffect(
        run=run,
        attempt=int(attempt),
        calls=tuple(
            HookCall(at=at, state=state, process=process, is_done=process in done)
            for at, state, process in calls
        ),
    )


def read_effects(records: Path) -> list[Effect]:
    """The records of all attempts; one in which nothing stands is of one that was killed before it did anything."""
    texts = {path.name: path.read_text() for path in sorted(records.iterdir())}
    return [_effect(name, text.splitlines()) for name, text in texts.items() if text]


def _effect(name: str, lines: Iterable[str]) -> Effect:
    run, _, attempt = name.rpartition(".")
    begins, children, ends = [], [], []
    about: dict[tuple[str, int], int] = {}
    done: dict[tuple[str, int], int] = {}
    for line in lines:
        time, word, *rest = line.split()
        match word:
            case "begin":
                begins.append(Begin(at=int(time), due=rest[0], process=_process(rest[1:])))
            case "about":
                about[rest[0], int(rest[1])] = int(time)
            case "done":
                done[rest[0], int(rest[1])] = int(time)
            case "child":
                children.append(_process(rest))
            case "end":
                ends.append(End(at=int(time), how=rest[0]))
    spoken = tuple(
        Spoken(channel=channel, number=number, about_at=at, done_at=done.get((channel, number)))
        for (channel, number), at in about.items()
    )
    return Effect(
        run=run,
        attempt=int(attempt),
        begins=tuple(begins),
        spoken=spoken,
        children=tuple(children),
        ends=tuple(ends),
    )


def _process(words: list[str]) -> Process:
    return Process(pid=int(words[0]), start_time=int(words[1]))
