"""Loading a flow from its file into this process: for `run --local` and for tests. The daemon never does."""

from pathlib import Path
from typing import TYPE_CHECKING

from schedulerd.authoring.loading import loading
from schedulerd.engine.code import Source, execute_file, find_neighbours
from schedulerd.errors import NotFound

if TYPE_CHECKING:
    from schedulerd.authoring.flows import AnyFlow


def load_flow(file: Path, name: str | None) -> "AnyFlow":
    """The flow of the file: the only one, or the one of this name or entry point. Nothing of it runs.

    Raises `NotFound`, and whatever the file raises.
    """
    find_neighbours(str(file))
    with loading(str(file)) as found:
        module = execute_file(Source(module="", path=str(file), content=file.read_bytes()))
    flows = list(found.named(vars(module)))
    matching = [flow for entrypoint, flow in flows if name in (None, flow.name, entrypoint)]
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(flow.name for _, flow in flows) or "none"
    if name is None and matching:
        raise NotFound("single flow in", str(file), mend=f"name one as {file.name}:FLOW; it has {names}")
    raise NotFound("flow", name or str(file), mend=f"the flows of {file} are: {names}")
