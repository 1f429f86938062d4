"""The neighbours of a flow file that it imports only when it runs: inside a function, say. Read from its code, not run."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from schedulerd.engine.code import Source


def late_neighbours(sources: Iterable[Source], folder: Path) -> list[Source]:
    """The modules of the folder that these files, or modules so found, import by name and have not loaded yet.

    What has been loaded is another's, or is kept already. A name that is made while the flow runs is not found.
    """
    left, found = list(sources), dict[str, Source]()
    while left:
        for name in _imported(left.pop()):
            if name in found or name in sys.modules or name in sys.builtin_module_names:
                continue
            if source := _source(name, folder):
                found[name] = source
                left.append(source)
    return list(found.values())


def _imported(source: Source) -> Iterator[str]:
    """The names that its import statements may load, with the packages that these are in."""
    try:
        tree = ast.parse(source.content)
    except (SyntaxError, ValueError, RecursionError):
        return  # told when it is imported
    for node in ast.walk(tree):
        for name in _names(node, source):
            parts = name.split(".")
            yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _names(node: ast.AST, source: Source) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(level=0, module=str(module)):
            return [f"{module}.{alias.name}" for alias in node.names]
        case ast.ImportFrom():
            package = _package(source, node.level)
            module = ".".join(filter(None, (package, node.module)))
            return [f"{module}.{alias.name}" for alias in node.names] if package else []
        case _:
            return []


def _package(source: Source, level: int) -> str:
    """The package that a relative import of so many dots starts from; empty where there is none."""
    parts = source.module.split(".")
    above = level - 1 if source.is_package else level
    return ".".join(parts[: len(parts) - above]) if above < len(parts) else ""


def _source(name: str, folder: Path) -> Source | None:
    path = folder.joinpath(*name.split("."))
    for file, is_package in ((path / "__init__.py", True), (path.with_name(f"{path.name}.py"), False)):
        try:
            if file.is_file():
                return Source(module=name, path=str(file), content=file.read_bytes(), is_package=is_package)
        except OSError:
            continue
    return None
