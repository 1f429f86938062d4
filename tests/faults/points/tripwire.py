"""Stops a real process dead at one step of a launch, or of a call of hooks, once, so that a test can kill what it wants just there.

Each point is a function of the program, and whether it stops before or after it. The process stops itself with SIGSTOP,
having left its pid in a file whose creation is the "once".
"""

import functools
import importlib
import os
import signal
from collections.abc import Callable
from typing import Any

# The steps of one launch in their order: the module, the function, and when to stop.
POINTS = {
    "claim": ("schedulerd.scheduler.ticking", "Ticker.tick", "after"),
    "prepare": ("schedulerd.engine.folders", "RunFolders.prepare", "after"),
    "ask": ("schedulerd.scheduler.launching", "Launcher.ask", "after"),
    "latch": ("schedulerd.engine.folders", "RunFolders.take", "after"),
    "armed": ("schedulerd.engine.folders", "begin", "before"),
    "started": ("schedulerd.engine.folders", "begin", "after"),
    "first_record": ("schedulerd.engine.journal", "Journal.append", "after"),
    "last_record": ("schedulerd.engine.recorder", "JournalRecorder.end", "after"),
    "exit_unwritten": ("schedulerd.engine.notes", "write_exit", "before"),
    "exit_written": ("schedulerd.engine.notes", "write_exit", "after"),
    "read": ("schedulerd.scheduler.intake", "IntakeDesk._commit", "before"),
    "settled": ("schedulerd.engine.folders", "RunFolders.retire", "before"),
    "emptied": ("schedulerd.engine.spent", "SpentFolders._clear", "after"),
    "retired": ("schedulerd.engine.folders", "RunFolders.retire", "after"),
}

# The steps of one call of hooks, from the commit that ends the run on.
HOOK_POINTS = {
    "hooks_owed": ("schedulerd.engine.folders", "RunFolders.retire", "before"),
    "hooks_taken": ("schedulerd.scheduler.hooks", "HookDesk._take_due", "after"),
    "hooks_prepared": ("schedulerd.engine.folders", "RunFolders.prepare", "after"),
    "hooks_asked": ("schedulerd.scheduler.launching", "Launcher.ask", "after"),
    "hooks_latch": ("schedulerd.engine.folders", "RunFolders.take", "after"),
    "hooks_armed": ("schedulerd.engine.folders", "begin", "before"),
    "hooks_started": ("schedulerd.engine.folders", "begin", "after"),
    "hooks_first_record": ("schedulerd.engine.journal", "Journal.append", "after"),
    "hooks_last_record": ("schedulerd.engine.recorder", "JournalRecorder.end", "after"),
    "hooks_exit_unwritten": ("schedulerd.engine.notes", "write_exit", "before"),
    "hooks_exit_written": ("schedulerd.engine.notes", "write_exit", "after"),
    "hooks_read": ("schedulerd.scheduler.hooks", "HookDesk._settle", "before"),
    "hooks_told": ("schedulerd.scheduler.hooks", "HookDesk._forget", "before"),
    "hooks_removed": ("schedulerd.engine.folders", "RunFolders.remove", "after"),
}
_OF_HOOKS = ".hooks-"


def lay(point: str, mark: str) -> None:
    """Lay the tripwire in this process. Modules are looked up by their users at call time, or patched before them."""
    module_name, path, when = (POINTS | HOOK_POINTS)[point]
    module = importlib.import_module(module_name)
    holder: Any = module
    *owners, name = path.split(".")
    for owner in owners:
        holder = getattr(holder, owner)
    setattr(holder, name, _stopping(getattr(holder, name), point, mark, when))


def _stopping(function: Callable[..., Any], point: str, mark: str, when: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def stopping(*args: Any, **kwargs: Any) -> Any:
        if when == "before" and _concerns(point, args, None):
            _stop(mark)
        result = function(*args, **kwargs)
        if when == "after" and _concerns(point, args, result):
            _stop(mark)
        return result

    return stopping


def _concerns(point: str, args: tuple[Any, ...], result: Any) -> bool:
    """Is this call about a run? Inspections take the same way, and the core has turns in which nothing is claimed."""
    if point in HOOK_POINTS:
        return _concerns_hooks(point, args, result)
    if point == "claim":
        return bool(result.claimed)
    if point == "read":
        return any(reading.settled for reading in args[1])
    if point in ("prepare", "latch", "settled", "retired"):
        return not str(args[1]).startswith("inspection")
    if point in ("armed", "started", "exit_unwritten", "exit_written"):
        return not os.readlink(f"/proc/self/fd/{args[0]}").rpartition("/")[2].startswith("inspection")
    return True


def _concerns_hooks(point: str, args: tuple[Any, ...], result: Any) -> bool:
    """Is this call about hooks?"""
    match point:
        case "hooks_owed":
            return not str(args[1]).startswith("inspection") and _OF_HOOKS not in str(args[1])
        case "hooks_taken":
            return bool(args[0].folders)
        case "hooks_prepared" | "hooks_latch" | "hooks_removed":
            return _OF_HOOKS in str(args[1])
        case "hooks_asked":
            return _OF_HOOKS in args[1].folder
        case "hooks_first_record" | "hooks_last_record":
            return _OF_HOOKS in os.environ.get("SCHEDULERD_RUN_FOLDER", "")
        case "hooks_read" | "hooks_told":
            return True
    return _OF_HOOKS in os.readlink(f"/proc/self/fd/{args[0]}").rpartition("/")[2]


def _stop(mark: str) -> None:
    try:
        descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    os.write(descriptor, str(os.getpid()).encode())
    os.close(descriptor)
    os.kill(os.getpid(), signal.SIGSTOP)
