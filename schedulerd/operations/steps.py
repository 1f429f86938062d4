"""Steps of a change to this machine: values that can be shown first, and are carried out one after the other."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from schedulerd.errors import NotFound, NotPermitted, SchedulerdError


@dataclass(frozen=True, kw_only=True, slots=True)
class MakeFolder:
    """Make a folder, and those above it."""

    path: Path
    mode: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteFile:
    """Write a file, whole or not at all; what was there is replaced."""

    path: Path
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """Leave something as it is."""

    path: Path
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveFile:
    """Remove a file."""

    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Run a command."""

    words: tuple[str, ...]


Step = MakeFolder | WriteFile | Keep | RemoveFile | Command


def describe(step: Step) -> str:
    """A step in a line, for people."""
    match step:
        case MakeFolder(path=path, mode=mode):
            return f"make   {path}/ ({mode:04o})"
        case WriteFile(path=path):
            return f"write  {path} (0644)"
        case RemoveFile(path=path):
            return f"remove {path}"
        case Command(words=words):
            return f"run    {' '.join(words)}"
        case Keep(path=path, why=why):
            return f"keep   {path} ({why})"
        case _:
            assert_never(step)


def carry_out(step: Step) -> None:
    """Do it. Raises `NotPermitted`, `NotFound` for a program that is not there, or `SchedulerdError`."""
    try:
        _do(step)
    except OSError as error:
        kind = NotPermitted if isinstance(error, PermissionError) else SchedulerdError
        raise kind(f"cannot {' '.join(describe(step).split())}: {error.strerror}") from error


def _do(step: Step) -> None:
    match step:
        case MakeFolder(path=path, mode=mode):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        case WriteFile(path=path, text=text):
            _write(path, text)
        case RemoveFile(path=path):
            path.unlink(missing_ok=True)
        case Command(words=words):
            _run(words)
        case Keep():
            pass
        case _:
            assert_never(step)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text)
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _run(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotFound(
            "program", words[0], mend="this needs systemd; without it: schedulerd start --detach"
        ) from error
    if done.returncode != 0:
        said = done.stderr.strip() or f"it ended with status {done.returncode}"
        raise SchedulerdError(f"`{' '.join(words)}` failed: {said}")
