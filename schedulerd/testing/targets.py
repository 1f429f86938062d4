"""Which flow a test means: a flow, a path, `path:name`, or a name that is known already."""

from dataclasses import dataclass
from pathlib import Path

from schedulerd.authoring.flows import AnyFlow
from schedulerd.errors import NotFound

Target = AnyFlow | Path | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """A file, and which flow of it; None: the only one that it has."""

    file: Path
    flow: str | None = None


def meant(target: Target) -> Meant | str:
    """The file and flow that are meant, or the bare name of a flow. Raises `NotFound` for what no file defines."""
    if isinstance(target, AnyFlow):
        return _file_of(target)
    text = str(target)
    file, _, name = text.partition(":")
    if not file.endswith(".py"):
        return text
    path = Path(file).resolve()
    if not path.is_file():
        raise NotFound("file", file)
    return Meant(file=path, flow=name or None)


def _file_of(flow: AnyFlow) -> Meant:
    made_in = getattr(getattr(flow, "fn", None), "__qualname__", "")
    if "<locals>" in made_in or not flow.file.endswith(".py") or not Path(flow.file).is_file():
        raise NotFound(
            "file of the flow",
            flow.name,
            mend="a daemon runs flows that a file makes at its top level: put it into one, or use history()",
        )
    return Meant(file=Path(flow.file).resolve(), flow=flow.name)
