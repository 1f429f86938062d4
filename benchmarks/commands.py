"""What commands take, from start to end: those that do next to nothing, and the list of runs of a long history."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Limit
from benchmarks.history import seeded_history
from benchmarks.limits import side_by_side
from benchmarks.seed import RUNS, seed
from benchmarks.sizes import Size
from tests.postgres import PostgresServer, installations

_PROGRAM: Final = str(Path(sys.executable).with_name("schedulerd"))
_FEW: Final = 20_000


def cost_of_commands(size: Size) -> list[Figure]:
    """Each beside the import of the library that it cannot do without: CPU and time, of the two in turn."""
    pairs = size.pick(full=15, small=5)
    with tempfile.TemporaryDirectory() as folder:
        figures = [
            *_beside("click", "schedulerd --version", ["--version"], pairs=pairs, target=2.5),
            *_beside("click", "schedulerd --help", ["--help"], pairs=pairs, target=2.5),
        ]
        for what, url in _histories(Path(folder), size):
            words = ["--config", str(_settings(Path(folder), url)), "runs", "list"]
            figures += _beside("sqlalchemy", f"runs list, {what}", words, pairs=pairs, target=2.0)
    return figures


def _beside(
    library: str, called: str, words: Sequence[str], *, pairs: int, target: float
) -> Iterator[Figure]:
    ours, limit = side_by_side([_PROGRAM, *words], [sys.executable, "-c", f"import {library}"], pairs=pairs)
    for what, value, least in (
        ("CPU", ours.cpu_ms, limit.cpu_ms),
        ("time", ours.wall_ms, limit.wall_ms),
    ):
        yield Figure(
            benchmark="commands",
            what=f"{called}, {what}",
            value=value,
            unit="ms",
            limit=Limit(what=f"import {library}, {what}", value=least, unit="ms"),
            target=target,
            is_time=what == "time",
        )


def _histories(folder: Path, size: Size) -> Iterator[tuple[str, str]]:
    if size is Size.SMALL:
        seed(f"sqlite:///{folder}/few.db", count=_FEW, flow_count=20, lines=100)
        yield f"{_FEW:,}, SQLite", f"sqlite:///{folder}/few.db"
        return
    yield f"{RUNS:,}, SQLite", f"sqlite:///{seeded_history(folder)}"
    with _postgres() as url:
        if url:
            yield f"{RUNS:,}, PostgreSQL", url


@contextmanager
def _postgres() -> Iterator[str]:
    """The URL of a history of a million runs, empty where there is no PostgreSQL."""
    installed = installations()
    if not installed:
        yield ""
        return
    with PostgresServer(installed[0], shared_buffers="128MB") as server:
        url = server.url(server.create())
        seed(url)
        server.execute("ANALYZE")
        yield url


def _settings(folder: Path, url: str) -> Path:
    file = folder / "schedulerd.toml"
    file.write_text(f'state_dir = "{folder / "state"}"\n[store]\nurl = "{url}"\n')
    return file
