"""Artifacts as a page shows them. What a run wrote is text, never markup of its own; links lead to http and https only. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from schedulerd.domain.told import ArtifactKind, KeptArtifact
from schedulerd.web.markdown_text import MOST, WEB, markdown_markup

MOST_ROWS: Final = 200
_MOST_COLUMNS: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactView:
    """One artifact: of Markdown its HTML, of a table its columns and rows, of a link where it leads, of progress how far it is; else text."""

    kept: KeptArtifact
    text: str = ""
    markup: Markup | None = None
    href: str = ""
    percent: float | None = None
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0


def artifact_views(artifacts: Sequence[KeptArtifact]) -> list[ArtifactView]:
    """The views, in order."""
    return [_view(one) for one in artifacts]


def _view(kept: KeptArtifact) -> ArtifactView:
    data = kept.artifact.data
    match kept.artifact.kind:
        case ArtifactKind.MARKDOWN if len(text := str(data)) <= MOST:
            return ArtifactView(kept=kept, text=text, markup=markdown_markup(text))
        case ArtifactKind.TABLE:
            return _table(kept, data)
        case ArtifactKind.PROGRESS:
            return ArtifactView(kept=kept, percent=float(data) if isinstance(data, int | float) else None)
        case ArtifactKind.IMAGE:
            return ArtifactView(kept=kept, text=str(data), href=_href(str(data)))
        case ArtifactKind.LINK if isinstance(data, Mapping):
            link = str(data.get("link", ""))
            return ArtifactView(kept=kept, text=str(data.get("text") or link), href=_href(link))
        case _:
            return ArtifactView(kept=kept, text=str(data))


def _href(url: str) -> str:
    return url if url.startswith(WEB) else ""


def _table(kept: KeptArtifact, data: Any) -> ArtifactView:
    """As rows by name, as lists, or as columns by name: in all three forms tables are told."""
    if isinstance(data, Mapping):
        names = list(data)
        lists = [one if isinstance(one, list) else [one] for one in data.values()]
        longest = max(map(len, lists), default=0)
        rows = [[one[place] if place < len(one) else "" for one in lists] for place in range(longest)]
    elif isinstance(data, list) and all(isinstance(row, Mapping) for row in data):
        names = list(dict.fromkeys(name for row in data[:MOST_ROWS] for name in row))
        rows = [[row.get(name, "") for name in names] for row in data]
    elif isinstance(data, list):
        rows = [row if isinstance(row, list) else [row] for row in data]
        names = [""] * max(map(len, rows), default=0)
    else:
        return ArtifactView(kept=kept, text=str(data))
    return ArtifactView(
        kept=kept,
        columns=tuple(str(name) for name in names[:_MOST_COLUMNS]),
        rows=tuple(tuple(str(cell) for cell in row[:_MOST_COLUMNS]) for row in rows[:MOST_ROWS]),
        left_out=max(0, len(rows) - MOST_ROWS),
    )
