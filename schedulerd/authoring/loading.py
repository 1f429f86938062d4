"""Loading a flow file, to inspect it or to run one of its flows: what it makes is noted, what it starts is not run."""

from __future__ import annotations

from schedulerd.authoring.placeholders import Placeholder, PlaceholderCoroutine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Any

    from schedulerd.authoring.flows import AnyFlow


class Note:
    """That a file ran, called, registered or served a flow at its top level, and with which arguments."""

    __slots__ = ("args", "flow", "kwargs", "verb")

    def __init__(self, flow: AnyFlow, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.flow = flow
        self.verb = verb
        self.args = args
        self.kwargs = dict(kwargs)


class Found:
    """What loading a file found: the flows that it made, in order, and what it would have done with them."""

    def __init__(self, file: str, *, is_known: bool) -> None:
        self.file = file
        self.is_known = is_known
        self.flows: list[AnyFlow] = []
        self.notes: list[Note] = []

    def named(self, namespace: Mapping[str, object]) -> Iterator[tuple[str, AnyFlow]]:
        """Each flow with its entry point: the first variable that holds it, else `#` and its number in the file."""
        variables: dict[int, str] = {}
        for name, value in namespace.items():
            variables.setdefault(id(value), name)
        for number, flow in enumerate(self.flows, start=1):
            yield variables.get(id(flow), f"#{number}"), flow

    def flow(self, entrypoint: str, namespace: Mapping[str, object]) -> AnyFlow:
        """The flow of that entry point; raises `LookupError` when the file has none."""
        for name, flow in self.named(namespace):
            if name == entrypoint:
                return flow
        known = ", ".join(name for name, _ in self.named(namespace)) or "none"
        raise LookupError(f"{self.file} makes no flow {entrypoint}; its flows are: {known}")


class loading:  # noqa: N801  used as `with loading(file) as found`
    """While this holds, flows and tasks that are called at module level are noted and not run.

    Holds for all threads of the process: a file may start some while it is imported. One that `is_known` was looked at
    before, as it is, and is not searched for faults that its run would come upon.
    """

    def __init__(self, file: object, *, is_known: bool = False) -> None:
        self._found = Found(str(file), is_known=is_known)
        self._outer: Found | None = None

    def __enter__(self) -> Found:
        global _found
        self._outer, _found = _found, self._found
        return self._found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        global _found
        _found = self._outer


_found: Found | None = None


def is_loading() -> bool:
    """Is a file being loaded, so that nothing of it may run?"""
    return _found is not None


def is_looking() -> bool:
    """Is a file being loaded that is not known yet, so that what is wrong with it should be said?"""
    return _found is not None and not _found.is_known


def loaded_file() -> str | None:
    """The file that is being loaded, if one is."""
    return None if _found is None else _found.file


def note_made(flow: AnyFlow) -> None:
    """Note a flow that was made. One that another module makes while it is imported belongs to that module's file."""
    if _found is not None and flow.file in ("", _found.file):
        _found.flows.append(flow)


def note_done(flow: AnyFlow, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Note what the file would have done with a flow."""
    if _found is not None:
        _found.notes.append(Note(flow, verb, args, kwargs))


def placeholder(*, is_async: bool = False) -> Placeholder:
    """What a call returns that was not carried out."""
    return PlaceholderCoroutine() if is_async else Placeholder()
