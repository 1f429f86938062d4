"""Artifacts: what a run makes for people to see, kept with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from schedulerd.authoring.dual import aside, dual
from schedulerd.authoring.loading import is_loading
from schedulerd.authoring.telling import tell
from schedulerd.domain.told import check_key, check_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_MOST: Final = 1_000
_made: dict[UUID, dict[str, Any]] = {}


def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> Any:
    """Show a text in Markdown. Its id; in async code this is awaited."""
    return dual(lambda: _create("markdown", _text("markdown", markdown), key, description))


async def acreate_markdown_artifact(
    markdown: str, key: str | None = None, description: str | None = None
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _create("markdown", _text("markdown", markdown), key, description))


def create_table_artifact(
    table: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | Sequence[Sequence[Any]],
    key: str | None = None,
    description: str | None = None,
) -> Any:
    """Show a table: a list of objects, or of lists, or an object of columns. Its id; in async code this is awaited."""
    return dual(lambda: _create("table", _rows(table), key, description))


async def acreate_table_artifact(
    table: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | Sequence[Sequence[Any]],
    key: str | None = None,
    description: str | None = None,
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _create("table", _rows(table), key, description))


def create_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> Any:
    """Show a link. Its id; in async code this is awaited."""
    return dual(lambda: _create("link", _link(link, link_text), key, description))


async def acreate_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _create("link", _link(link, link_text), key, description))


def create_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> Any:
    """Show an image, by its address. Its id; in async code this is awaited."""
    return dual(lambda: _create("image", _text("image_url", image_url), key, description))


async def acreate_image_artifact(
    image_url: str, key: str | None = None, description: str | None = None
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _create("image", _text("image_url", image_url), key, description))


def create_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> Any:
    """Show how far something is, in percent. Its id; in async code this is awaited."""
    return dual(lambda: _create("progress", _percent(progress), key, description))


async def acreate_progress_artifact(
    progress: float, key: str | None = None, description: str | None = None
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _create("progress", _percent(progress), key, description))


def update_progress_artifact(artifact_id: UUID, progress: float, description: str | None = None) -> Any:
    """Say how far it is now. Its id; raises `ValueError` for what is no progress artifact of this process."""
    return dual(lambda: _update(artifact_id, progress, description))


async def aupdate_progress_artifact(
    artifact_id: UUID, progress: float, description: str | None = None
) -> UUID:
    """The same, to be awaited."""
    return await aside(lambda: _update(artifact_id, progress, description))


def markdown_id(markdown: str) -> str:
    """Show a text in Markdown; its id as text, as in Prefect 1."""
    return str(_create("markdown", _text("markdown", markdown), None, None))


def link_id(link: str) -> str:
    """Show a link; its id as text, as in Prefect 1."""
    return str(_create("link", _link(link, None), None, None))


def _create(kind: str, data: Any, key: str | None, description: str | None) -> UUID:
    said = {"id": str(uuid4()), "a": kind, "d": data, "y": check_key(key), "e": description or ""}
    check_size("the artifact", [data, description])
    return _tell(UUID(str(said["id"])), said)


def _update(artifact_id: UUID, progress: float, description: str | None) -> UUID:
    before = _made.get(artifact_id)
    if before is None or before["a"] != "progress":
        raise ValueError(f"{artifact_id} is no progress artifact that was made here")
    changed = {} if description is None else {"e": description}
    return _tell(artifact_id, {**before, "d": _percent(progress), **changed})


def _tell(artifact_id: UUID, said: dict[str, Any]) -> UUID:
    if is_loading():
        return artifact_id
    if artifact_id not in _made and len(_made) >= _MOST:
        raise ValueError(f"a run may have {_MOST:,} artifacts: put the rows into one table")
    _made[artifact_id] = said
    name = f" {said['y']!r}" if said["y"] else ""
    tell("artifact", f"artifact{name}: {said['a']}", **said)
    return artifact_id


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} has to be text, not {type(value).__name__}")
    return value


def _link(link: object, text: object) -> dict[str, str]:
    address = _text("link", link)
    return {"link": address, "text": address if text is None else _text("link_text", text)}


def _percent(progress: object) -> float:
    if isinstance(progress, bool) or not isinstance(progress, int | float) or not 0 <= progress <= 100:
        raise ValueError(f"progress is a number from 0 to 100, not {progress!r}")
    return float(progress)


def _rows(table: Any) -> Any:
    """The table as JSON; what is no JSON in it becomes text, and no number (NaN) nothing."""
    if not isinstance(table, dict | list | tuple):
        raise TypeError(f"a table is a list of rows or an object of columns, not {type(table).__name__}")
    return _cell(table)


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _cell(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cell(one) for one in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
