"""A cgroup of version 2 that is delegated to the test, as systemd would to a service."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from schedulerd.engine.cgroups import own_cgroup
from tests.requirements import missing
from tests.waiting import eventually

# Like those of `tests.systemd_namespace`, which removes what tests that were killed left behind.
_NAME = f"schedulerd-test-delegated-{os.getpid()}"


def own() -> Path:
    """The cgroup that the test itself is in; without one the test is skipped."""
    found = own_cgroup(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
    if found is None:
        missing("cgroups", "no cgroup of version 2 is mounted here")
    return found


@contextlib.contextmanager
def delegated_cgroup() -> Iterator[Path]:
    """A cgroup below the test's own that says that it is delegated; it is empty again at the end, or the test fails."""
    cgroup = own() / _NAME
    try:
        cgroup.mkdir()
        os.setxattr(cgroup, "user.delegate", b"1")
    except OSError as error:
        missing("cgroups", f"{cgroup} cannot be made and marked: {error.strerror}")
    try:
        yield cgroup
    finally:
        _empty(cgroup)


@contextlib.contextmanager
def being_in(cgroup: Path) -> Iterator[None]:
    """Be in a cgroup, so that what is started now begins there."""
    before = own()
    (cgroup / "cgroup.procs").write_text("0")
    try:
        yield
    finally:
        (before / "cgroup.procs").write_text("0")


def members(cgroup: Path) -> list[int]:
    """The pids in it."""
    try:
        return [int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _empty(cgroup: Path) -> None:
    """Kill what is in it, and remove it with all below."""
    (cgroup / "cgroup.kill").write_text("1")
    eventually(lambda: "populated 0" in (cgroup / "cgroup.events").read_text())
    for folder, _, _ in os.walk(cgroup, topdown=False):
        os.rmdir(folder)
