"""The run on disk: the folder of one attempt, and the renames that let it start once.

    ready/<key>/armed        prepared by the core, not taken yet
    runs/<key>/armed         taken by a spawner: this rename is the latch, it succeeds once
    runs/<key>/started       its process runs, or ran, user code
    runs/<key>/void          given up before any user code ran

    runs/<key>/timeout       it is being ended, for this reason; or `cancel`

Each of these is the same file, the request, under the name that tells how far it came: a name takes no room, so that
it can be given on a full disk too.
A folder is complete before it is seen: it is made under a name with a dot and renamed into `ready`. It may have been that
of another attempt before, which is over; see `schedulerd.engine.spent`.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schedulerd.engine.notes import Exit, Stage, Word, process_in, read_exit, read_word, write_private
from schedulerd.engine.processes import ProcessId
from schedulerd.engine.spent import SpentFolders

READY: Final = "ready"
RUNS: Final = "runs"
JOURNAL: Final = "journal.jsonl"
STDOUT: Final = "stdout.log"
STDERR: Final = "stderr.log"
STDIN: Final = "stdin"
ANSWER: Final = "answer.json"
KNOWN: Final = "known.json"
RESULTS: Final = "results"
_SPENT: Final = "spent"
_ARMED: Final = Stage.ARMED.value  # looked up once: in an enumeration that is a search
_STARTED: Final = Stage.STARTED.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the disk says of one attempt; `where` None: it has no folder.

    `parents`: the processes that will tell how it ended, as long as they live: its keeper, its spawner. `word`: why it
    is being ended, by whoever began with that.
    """

    where: str | None = None
    stage: Stage | None = None
    process: ProcessId | None = None
    parents: tuple[ProcessId, ...] = ()
    exit: Exit | None = None
    word: Word | None = None


class RunFolders:
    """The folders of the attempts under one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.ready = state_dir / READY
        self.runs = state_dir / RUNS
        self._spent = SpentFolders(state_dir / _SPENT, emptied=frozenset({JOURNAL, STDOUT, STDERR}))

    def make(self) -> None:
        """Make the two parent folders, for this user only."""
        for folder in (self.ready, self.runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def running(self, key: str) -> str:
        """The path of the folder of an attempt that was taken."""
        return f"{self.runs}/{key}"

    def prepare(
        self, key: str, request: Mapping[str, Any], files: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        """Put a request, and files beside it, where a spawner can take it; whole or not at all.

        Replaces one that is still there.
        """
        ready, draft = f"{self.ready}/{key}", f"{self.ready}/.{key}"
        if not self._spent.give(draft):
            with contextlib.suppress(FileExistsError):
                os.mkdir(draft, 0o700)
        try:
            for name, content in files.items():
                write_private(f"{draft}/{name}", content)
            write_private(f"{draft}/{Stage.ARMED}", json.dumps(request, separators=(",", ":")).encode())
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        try:
            os.rename(draft, ready)
        except OSError:  # an earlier, equal one stands there
            shutil.rmtree(ready, ignore_errors=True)
            os.rename(draft, ready)

    def take(self, key: str) -> int | None:
        """Move a prepared attempt to the running ones: its folder, open, for exactly one caller, else None.

        The folder is opened before it moves, and everything in it is done through that descriptor: should somebody
        give this attempt up and prepare it anew, the late hand finds the old folder, which is nobody's.
        """
        prepared = f"{self.ready}/{key}"
        try:
            folder = os.open(prepared, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            os.rename(prepared, self.running(key))
        except OSError:  # another was faster, or (by a clumsy hand) one of this name runs already
            os.close(folder)
            return None
        return folder

    def put_back(self, key: str) -> bool:
        """Undo `take` of an attempt of which nothing ran, so that it can be taken once more; False when it cannot be."""
        try:
            os.rename(self.runs / key, self.ready / key)
        except OSError:
            return False
        return True

    def give_up(self, key: str) -> bool:
        """Keep a taken attempt from starting; False when its process was first."""
        try:
            os.rename(self.runs / key / Stage.ARMED, self.runs / key / Stage.VOID)
        except FileNotFoundError:
            return False
        return True

    def facts(self, key: str) -> Facts:
        """What the disk says of this attempt; `ready` is looked at first, since a folder only moves on from it."""
        if (self.ready / key).is_dir():
            return Facts(where=READY, stage=Stage.ARMED)
        folder = self.runs / key
        if not folder.is_dir():
            return Facts()
        stage = _stage(
            folder
        )  # first: who is seen to have started is seen with the process, written before that
        process, parents = process_in(folder)
        return Facts(
            where=RUNS,
            stage=stage,
            process=process,
            parents=parents,
            exit=read_exit(folder),
            word=read_word(folder),
        )

    def names(self) -> set[str]:
        """The attempts that have a folder."""
        return {
            entry.name
            for parent in (self.ready, self.runs)
            for entry in os.scandir(parent)
            if not entry.name.startswith(".")
        }

    def retire(self, key: str) -> None:
        """Forget the folder of an attempt that is over; the next attempt may be given it. For whoever prepares them."""
        trash = f"{self.runs}/.{key}.old"
        ended = read_exit(self.running(key))
        try:
            os.rename(self.running(key), trash)
        except OSError:
            self.remove(key)
        else:
            if not self._spent.keep(trash, ended):
                _remove(trash)

    def remove(self, key: str) -> None:
        """Forget an attempt's folder; nothing happens when there is none.

        It is renamed first, so that a removal cut short leaves nothing that looks like an attempt.
        """
        for parent in (self.runs, self.ready):
            trash = f"{parent}/.{key}.old"
            with contextlib.suppress(OSError):
                os.rename(f"{parent}/{key}", trash)
            if os.path.exists(trash):
                _remove(trash)

    def sweep(self) -> None:
        """Remove what interrupted preparations and removals left; only for when nobody else prepares."""
        for parent in (self.runs, self.ready):
            for entry in os.scandir(parent):
                if entry.name.startswith("."):
                    shutil.rmtree(entry.path, ignore_errors=True)
        self._spent.begin()


def is_armed(folder: int) -> bool:
    """Has nothing of an attempt, its folder open, begun yet?"""
    try:
        os.stat(Stage.ARMED, dir_fd=folder)
    except OSError:
        return False
    return True


def begin(folder: int) -> bool:
    """Mark an attempt, its folder open, as started; False when it was given up. Nothing may run before this."""
    try:
        os.rename(_ARMED, _STARTED, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def read_request(folder: int) -> dict[str, Any]:
    """The request of a taken attempt, its folder open; raises `FileNotFoundError` when it was given up."""
    request: dict[str, Any] = json.loads(_read(_ARMED, folder))
    return request


def read_known(folder: int) -> list[dict[str, str]]:
    """What tasks came to in an earlier attempt, from an open folder; nothing for a first one."""
    try:
        known: list[dict[str, str]] = json.loads(_read(KNOWN, folder))
    except FileNotFoundError:
        return []
    return known


def _read(name: str, folder: int) -> str:
    with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder), "rb", buffering=0) as file:
        return file.read().decode()


def _remove(folder: str) -> None:
    """Remove a folder that nobody looks into any more: files, as a rule, and nothing else."""
    try:
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(folder: Path) -> Stage | None:
    return next((stage for stage in reversed(Stage) if (folder / stage).exists()), None)
