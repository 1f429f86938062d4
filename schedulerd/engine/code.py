"""The code of a flow, kept by its content: a run executes the version that was found, not what lies in the folder now.

A version is a file and the local modules that it imports. They are kept under `code/<version>/`, and are loaded from
there under their own paths: `__file__`, tracebacks and neighbouring data files are what they would be.
"""

import hashlib
import importlib.machinery
import importlib.util
import json
import linecache
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file of a version: what it is imported as (empty for the flow file itself), its path and content."""

    module: str
    path: str
    content: bytes
    is_package: bool = False


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
    """Write the manifest: which copy is which file. The same content at a new path is a move."""
    manifest = [
        {"module": one.module, "path": one.path, "copy": f"{number}.py", "is_package": one.is_package}
        for number, one in enumerate(sources)
    ]
    draft = folder / f".manifest.{os.getpid()}"
    draft.write_text(json.dumps(manifest))
    draft.rename(folder / _MANIFEST)


def kept(version: str, *, code: Path) -> list[Source]:
    """The files of a version, the flow file first; raises `FileNotFoundError` when it is not kept here."""
    folder = code / version
    entries: list[dict[str, Any]] = json.loads((folder / _MANIFEST).read_bytes())
    return [
        Source(
            module=entry["module"],
            path=entry["path"],
            content=(folder / entry["copy"]).read_bytes(),
            is_package=entry["is_package"],
        )
        for entry in entries
    ]


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
    text = importlib.util.decode_source(source.content)
    linecache.cache[source.path] = (len(text), None, text.splitlines(keepends=True), source.path)
    return compile(source.content, source.path, "exec", dont_inherit=True)


def module_name(path: str) -> str:
    """What a flow file is imported as: its own stem where that is free, never `__main__`."""
    stem = Path(path).stem
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
    sys.path.insert(0, str(Path(path).parent))
    sys.meta_path.insert(0, KeptModules(sources))
    importlib.invalidate_caches()


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
