"""Values of tasks and flows kept with their run, so that people can see them and another attempt goes on from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zlib import crc32

from schedulerd.authoring.previews import PREVIEW_BYTES, preview
from schedulerd.authoring.redacting import given
from schedulerd.authoring.serializing import JSON, NotSerializable, deserialize, serialize
from schedulerd.authoring.storages import read_from, write_to
from schedulerd.authoring.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from schedulerd.authoring.context import FlowContext

FOLDER_VARIABLE: Final = "SCHEDULERD_RESULTS"
"""The variable that says where values are kept: those of cached tasks, and large ones."""

INLINE_BYTES: Final = 64 * 1024
EXACT: Final = "preview"  # the preview is the value, as JSON
_SECRET: Final = "a secret stands in it"
_WARNING: Final = 30  # logging's number
_PLAIN: Final = (int, float, bool, type(None))
_SHORT: Final = PREVIEW_BYTES // 4  # characters, of at most four bytes each
_DIGESTED: Final = (str, *_PLAIN)


class Kept:
    """A value that was kept: of which kind, and its content, or for a large one the name of its file.

    `kind` is `preview`, `json` or `pickle`; `file` is empty for one that is short.
    """

    __slots__ = ("content", "file", "kind")

    def __init__(self, kind: str, content: bytes = b"", *, file: str = "") -> None:
        self.kind = kind
        self.content = content
        self.file = file


class Keeper:
    """Keeps the values of one run: short ones go with its records, larger ones into files of `folder`.

    A value of more than `limit` bytes is not kept. With a `storage` larger ones go there instead, as do those of a task or
    flow that names one; then the file is told by its whole place.
    """

    def __init__(self, folder: Path | str, *, limit: int, storage: str = "") -> None:
        self._folder = folder
        self._limit = limit
        self._storage = storage

    def keep(self, value: Any, *, storage: str | None = None) -> tuple[str | None, Kept | None]:
        """What people are shown of the value, and the value as it is kept; None where it is not.

        Raises `NotKept` with the reason, and the preview, where it should be and cannot.
        """
        if value is None:
            return None, Kept(EXACT)
        shown = preview(value)
        if given.is_in(shown.encode("utf-8", "replace")):
            raise NotKept(_SECRET, shown)
        if _is_exact(value, shown):
            return shown, Kept(EXACT)
        try:
            kind, content = serialize(value)
            if given.is_in(content):
                raise NotKept(_SECRET, shown)
            if len(content) > self._limit:
                raise NotKept(f"it has {len(content):,} bytes, more than {self._limit:,}", shown)
            if len(content) <= INLINE_BYTES:
                return shown, Kept(kind, content)
            return shown, Kept(kind, file=self._written(content, storage or self._storage))
        except (NotSerializable, OSError) as error:
            raise NotKept(str(error), shown) from error

    def load(self, kind: str, content: bytes, file: str) -> Any:
        """The value that was kept; raises whatever its reading raises."""
        if kind == EXACT:
            return deserialize(JSON, content)
        return deserialize(kind, self._read(file) if file else content)

    def _written(self, content: bytes, storage: str) -> str:
        if not storage:
            return self._write(content)
        return write_to(f"{storage}/{os.path.basename(self._folder)}", os.urandom(16).hex(), content)

    def _read(self, file: str) -> bytes:
        return read_from(file) if "/" in file else Path(self._folder, file).read_bytes()

    def _write(self, content: bytes) -> str:
        """Write a file that is seen whole or not at all, by this user only; its name."""
        folder = Path(self._folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = os.urandom(16).hex()
        write_whole(folder / name, content)
        return name


class NotKept(Exception):
    """A value is not kept: why, and what people are shown of it."""

    def __init__(self, reason: str, shown: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.shown = shown


def keep_or_tell(
    value: Any, context: FlowContext, what: str, *, storage: str | None = None
) -> tuple[str | None, Kept | None]:
    """What people are shown of the value, and the value as the run's keeper keeps it.

    The log says of `what` that it is not kept where that should be and cannot.
    """
    keeper = context.recorder.keeper
    assert keeper is not None
    try:
        return keeper.keep(value, storage=storage)
    except NotKept as error:
        context.log(_WARNING, f"{what} is not kept: {error.reason}")
        return error.shown, None


def _is_exact(value: Any, shown: str) -> bool:
    """Is what is shown the value itself, as JSON?"""
    kind = type(value)
    if kind in _PLAIN:
        return kind is not float or bool(value - value == 0)  # neither infinite nor no number
    if kind is str and len(value) <= _SHORT:
        return bool(value.isprintable())
    if kind not in (str, list, dict) or shown.endswith("…"):
        return False
    try:
        return bool(deserialize(JSON, shown.encode()) == value)
    except (ValueError, RecursionError):
        return False


def call_of(name: str, index: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """How a call of a task is told from others in the flow run: with what, the how-manieth of the task, the task's name.

    With what only where that is short and plain, else `-`: then a flow that goes another way in its next attempt is not
    given the value of another call.
    """
    digest = "-"
    several = (*args, *kwargs.values()) if kwargs else args
    if all(
        type(value) in _DIGESTED and (type(value) is not str or len(value) <= _SHORT) for value in several
    ):
        given = repr((args, sorted(kwargs.items())) if kwargs else args)
        digest = f"{crc32(given.encode('utf-8', 'replace')):x}"
    return f"{digest} {index} {name}"


def call_parts(call: str) -> tuple[str, int, str]:
    """With what, the how-manieth, and the name, of a call. Raises `ValueError` for what is none."""
    digest, index, name = call.split(" ", 2)
    return digest, int(index), name
