"""Which flow files may import a file that is named like one: those that speak of it, and those that speak of these."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from schedulerd.watch.folders import Role, SeenFile

_WORD: Final = re.compile(r"\w+")


def importers(touched: Iterable[SeenFile], files: Collection[SeenFile]) -> set[Path]:
    """The flow files among `files` that may import one of `touched`, by the words in them, comments too.

    What is looked at in vain costs a moment; what is not looked at runs old code. So a word is enough.
    """
    named: dict[Path, set[str]] = {}
    for file in touched:
        if file.role is Role.FLOW:
            named.setdefault(file.folder, set()).add(_module(file))
    found = (_in_folder(names, [file for file in files if file.folder == at]) for at, names in named.items())
    return {file.path for some in found for file in some if file.role is Role.FLOW}


def _in_folder(names: set[str], files: Iterable[SeenFile]) -> list[SeenFile]:
    """The files that speak of these modules, of modules that do so, and so on."""
    unsaid = [(file, _words(file)) for file in files]
    found: list[SeenFile] = []
    while names:
        speaking = [file for file, words in unsaid if words is None or not words.isdisjoint(names)]
        unsaid = [(file, words) for file, words in unsaid if file not in speaking]
        found += speaking
        names = {_module(file) for file in speaking}
    return found


def _module(file: SeenFile) -> str:
    return file.path.parent.name if file.path.stem == "__init__" else file.path.stem


def _words(file: SeenFile) -> set[str] | None:
    """The words of a file; None where it cannot be read now."""
    try:
        return set(_WORD.findall(file.path.read_text("utf-8", "replace")))
    except OSError:
        return None
