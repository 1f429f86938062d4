"""The code of a flow, kept by its content: a run executes the version that was found, not what lies in the folder now.

A version is a file and the local modules that it imports. They are kept under `code/<version>/`, and are loaded from
there under their own paths: `__file__`, tracebacks and neighbouring data files are what they would be.
"""

import codecs
import contextlib
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import linecache
import marshal
import os
import shutil
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import InspectLoader, MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

_MANIFEST: Final = "manifest.json"
_COMPILED: Final = "c"  # after the name of a copy
_CHECKSUM_BYTES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file of a version: what it is imported as (empty for the flow file itself), its path and content."""

    module: str
    path: str
    content: bytes
    is_package: bool = False
    code: bytes = field(default=b"", compare=False, repr=False)
    """What it compiles to, as `_compiled_form` keeps it; empty where that is not known."""


def version_of(sources: Iterable[Source]) -> str:
    """The SHA-256 over names and contents, in hex; where the files lie does not matter."""
    digest = hashlib.sha256()
    for source in sorted(sources, key=lambda one: one.module):
        for part in (source.module.encode(), source.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def keep(sources: Sequence[Source], *, code: Path) -> str:
    """Keep these files under `code` and return their version; whole or not at all, and once."""
    version = version_of(sources)
    if (code / version / _MANIFEST).exists():
        _note_place(sources, code / version)
        return version
    draft = code / f".{version}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    for number, source in enumerate(sources):
        (draft / f"{number}.py").write_bytes(source.content)
    _note_place(sources, draft)
    try:
        draft.rename(code / version)
    except OSError:  # another inspection was faster
        shutil.rmtree(draft, ignore_errors=True)
    return version


def _note_place(sources: Sequence[Source], folder: Path) -> None:
    """Write the manifest: which copy is which file. The same content at a new path is a move.

    What a file compiles to is kept beside it, as Python keeps it for what is imported (PEP 3147): a run has no need to
    compile it once more.
    """
    for number, one in enumerate(sources):
        draft = folder / f".{number}.{os.getpid()}"
        draft.write_bytes(_compiled_form(one))
        draft.rename(folder / f"{number}.py{_COMPILED}")
    manifest = [
        {"module": one.module, "path": one.path, "copy": f"{number}.py", "is_package": one.is_package}
        for number, one in enumerate(sources)
    ]
    draft = folder / f".manifest.{os.getpid()}"
    draft.write_text(json.dumps(manifest))
    draft.rename(folder / _MANIFEST)


def kept(version: str, *, code: Path | str) -> list[Source]:
    """The files of a version, the flow file first; raises `FileNotFoundError` when it is not kept here."""
    folder = f"{code}{os.sep}{version}{os.sep}"
    entries: list[dict[str, Any]] = json.loads(_read(folder + _MANIFEST))
    return [
        Source(
            module=entry["module"],
            path=entry["path"],
            content=_read(folder + entry["copy"]),
            is_package=entry["is_package"],
            code=_read_if_any(folder + entry["copy"] + _COMPILED),
        )
        for entry in entries
    ]


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _read_if_any(path: str) -> bytes:
    try:
        return _read(path)
    except FileNotFoundError:  # kept by an earlier version of this program
        return b""


class KeptModules(MetaPathFinder, InspectLoader):
    """Imports the local modules of a version from their kept copies."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources: Mapping[str, Source] = {one.module: one for one in sources if one.module}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a kept module, with the path that it came from as its origin."""
        source = self._sources.get(fullname)
        if source is None:
            return None
        spec = importlib.machinery.ModuleSpec(
            fullname, self, origin=source.path, is_package=source.is_package
        )
        spec.has_location = True
        if source.is_package:
            spec.submodule_search_locations = [str(Path(source.path).parent)]
        return spec

    def get_source(self, fullname: str) -> str:
        """The text of a kept module."""
        return importlib.util.decode_source(self._sources[fullname].content)

    def get_code(self, fullname: str) -> CodeType:
        """The code of a kept module, compiled under the path that it came from."""
        return compiled(self._sources[fullname])

    def is_package(self, fullname: str) -> bool:
        """Is it a package's `__init__`?"""
        return self._sources[fullname].is_package


def compiled(source: Source) -> CodeType:
    """The file's code; its lines are what tracebacks show, whatever becomes of the file."""
    text = _decoded(source.content)
    linecache.cache[source.path] = (len(text), None, text.splitlines(keepends=True), source.path)
    return _kept_code(source) or compile(source.content, source.path, "exec", dont_inherit=True)


def _compiled_form(source: Source) -> bytes:
    """What the file compiles to under its path, marked with both; empty where it does not compile."""
    try:
        code = compile(source.content, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # of a neighbour that the flow has not imported, say
        return b""
    kept = marshal.dumps(code)
    return _mark(source) + _checksum(kept) + kept


def _kept_code(source: Source) -> CodeType | None:
    """What was kept of the compiled file, if this Python made it, for this path."""
    mark = _mark(source)
    if not source.code.startswith(mark):
        return None
    marked, kept = source.code[len(mark) :][:_CHECKSUM_BYTES], source.code[len(mark) + _CHECKSUM_BYTES :]
    if marked != _checksum(kept):
        return None  # the machine lost its power while it was kept
    code: CodeType = marshal.loads(kept)
    return code


def _mark(source: Source) -> bytes:
    """Which Python compiled it, whether it keeps assertions (`-O`), and for which path."""
    path = source.path.encode("utf-8", "surrogateescape")
    return importlib.util.MAGIC_NUMBER + bytes([sys.flags.optimize]) + path + b"\0"


def _checksum(kept: bytes) -> bytes:
    return zlib.crc32(kept).to_bytes(_CHECKSUM_BYTES)


def _decoded(content: bytes) -> str:
    """The text of a file of Python; UTF-8 where it does not say otherwise (PEP 263)."""
    if b"coding" not in content and not content.startswith(codecs.BOM_UTF8):
        with contextlib.suppress(UnicodeDecodeError):
            return io.IncrementalNewlineDecoder(None, True).decode(content.decode())
    return importlib.util.decode_source(content)


def module_name(path: str) -> str:
    """What a flow file is imported as: its own stem where that is free, never `__main__`."""
    stem, _ = os.path.splitext(os.path.basename(path))
    return stem if stem.isidentifier() and stem not in sys.modules else f"schedulerd_flow_{stem}"


def execute_file(source: Source) -> ModuleType:
    """Run a flow file's code as a module of its own; what it raises comes through."""
    name = module_name(source.path)
    module = ModuleType(name)
    module.__file__ = source.path
    sys.modules[name] = module
    exec(compiled(source), module.__dict__)
    return module


def find_neighbours(path: str, sources: Iterable[Source] = ()) -> None:
    """From now on imports find the neighbours of a flow file, kept copies first; for a process of its own."""
    sys.path.insert(0, os.path.dirname(path))
    sys.meta_path.insert(0, KeptModules(sources))
    if sys.path_importer_cache.get(sys.path[0], ...) is None:
        del sys.path_importer_cache[sys.path[0]]  # it was no folder when it was last looked for


def forget_missing_folders() -> None:
    """Have folders of `sys.path` that are missing looked for again by whoever imports next, in the processes forked from this one.

    Those that are there need no such thing: they are listed anew when they have changed (importlib's `FileFinder`).
    """
    for path in [path for path, finder in sys.path_importer_cache.items() if finder is None]:
        del sys.path_importer_cache[path]


def loaded_neighbours(roots: Iterable[Path]) -> list[Source]:
    """The modules imported by now whose files lie under one of `roots`."""
    folders = tuple(f"{form}{os.sep}" for root in roots for form in (root, root.resolve()))
    found = []
    for name, module in sorted(sys.modules.items()):
        spec, path = getattr(module, "__spec__", None), getattr(module, "__file__", None)
        if spec is None or not path or not path.endswith(".py") or not path.startswith(folders):
            continue
        content = Path(path).read_bytes()
        found.append(
            Source(module=name, path=path, content=content, is_package=bool(spec.submodule_search_locations))
        )
    return found
