"""A real systemd as PID 1 of namespaces of its own, over a copy of this machine that is thrown away.

Everything that it writes goes to a tmpfs that only its mount namespace holds, so the last process of it takes all of
it along: a `kill -9` of the test leaves nothing but empty cgroups, which the next start removes. Its clock is the
machine's, and must never be set.

As a program (`python systemd_namespace.py SCRATCH [SOURCE=TARGET ...]`) this file is what becomes that PID 1.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final, Self

SYSTEMD: Final = Path("/lib/systemd/systemd")
_TOOLS: Final = ("unshare", "nsenter", "setpriv", "mount", "umount", "pivot_root", "ip", "systemctl")
_NAMESPACES: Final = ("--pid", "--mount", "--cgroup", "--ipc", "--uts", "--net")
_CGROUP: Final = "schedulerd-test"
_START_SECONDS: Final = 20.0
_ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}
# Services of this machine that have no place in the copy: what they would touch is not theirs alone.
_MASKED: Final = (
    "cron.service",
    "postgresql.service",
    "systemd-timesyncd.service",
    "getty.target",
    "timers.target",
)


class CannotStart(Exception):
    """This machine does not let us start a systemd; the message says why."""


def why_not() -> str | None:
    """What this machine lacks for a systemd in namespaces, None when nothing that can be seen from here."""
    if os.geteuid() != 0:
        return "it needs root"
    if not SYSTEMD.exists():
        return f"there is no {SYSTEMD}"
    absent = [tool for tool in _TOOLS if shutil.which(tool, path=_ENVIRONMENT["PATH"]) is None]
    return f"{', '.join(absent)} not found" if absent else None


class SystemdNamespace:
    """A machine within this one, from `with` to its end. `show` are folders to be seen in it, read-only: place by source."""

    def __init__(self, scratch: Path, *, show: Mapping[Path, Path] | None = None) -> None:
        self._scratch = scratch
        self._show = dict(show or {})
        self._cgroups: list[Path] = []
        self._outer: subprocess.Popen[bytes] | None = None
        self._init = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._outer is not None:
            self._outer.kill()  # takes PID 1 along (--kill-child), and that its whole namespace
            self._outer.wait()
        _remove_cgroups(self._cgroups)

    def run(self, *words: str | Path, check: bool = True, user: str | None = None) -> str:
        """What a command says on its stdout inside; one that fails fails the test, with all it said."""
        as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--") if user else ()
        done = self.attempt(*as_user, *words)
        if check and done.returncode != 0:
            said = f"{done.stdout}{done.stderr}".strip()
            raise AssertionError(f"{' '.join(map(str, words))}: status {done.returncode}\n{said}")
        return done.stdout.strip()

    def attempt(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command inside, whatever comes of it."""
        enter = [
            "nsenter",
            "--target",
            str(self._init),
            "--pid",
            "--mount",
            "--cgroup",
            "--ipc",
            "--uts",
            "--net",
        ]
        return subprocess.run(
            [*enter, "--root", "--wd", *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            env=_ENVIRONMENT,
            check=False,
        )

    def json(self, *words: str | Path) -> Any:
        """What a command that speaks JSON says."""
        return json.loads(self.run(*words))

    def write(self, path: str | Path, text: str) -> None:
        """Write a file inside, as root; its folder is made."""
        at = self._inside(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)

    def _inside(self, path: str | Path) -> Path:
        return Path(f"/proc/{self._init}/root") / str(path).lstrip("/")

    # -- starting -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        reason = why_not()
        if reason is not None:
            raise CannotStart(reason)
        self._scratch.mkdir(parents=True, exist_ok=True)
        _sweep_cgroups()
        self._cgroups = list(_make_cgroups(f"{_CGROUP}-{os.getpid()}"))
        self._outer = self._unshare()
        self._init = self._wait_for(self._first_child, "no PID 1")
        self._wait_for(self._is_up, "systemd did not come up")

    def _unshare(self) -> subprocess.Popen[bytes]:
        become = [sys.executable, "-I", __file__, str(self._scratch)]
        become += [f"{source}={target}" for target, source in self._show.items()]
        command = ["setpriv", "--pdeathsig", "KILL", "--"]  # should the test be killed, unshare is too
        command += [
            "unshare",
            *_NAMESPACES,
            "--fork",
            "--kill-child=SIGKILL",
            "--propagation",
            "private",
            *become,
        ]
        # The shell puts itself into our cgroups, which then are the root of what the namespace can see.
        enter = "".join(f"echo $$ > '{cgroup}/cgroup.procs' && " for cgroup in self._cgroups)
        with self._console.open("wb") as console:
            return subprocess.Popen(
                ["sh", "-c", f'{enter}exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=_ENVIRONMENT,
            )

    @property
    def _console(self) -> Path:
        return self._scratch / "console.log"

    def _first_child(self) -> int:
        assert self._outer is not None
        pid = self._outer.pid
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
                return int(children[0])
        return 0

    def _is_up(self) -> bool:
        return self.attempt("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

    def _wait_for(self, condition: Any, otherwise: str) -> Any:
        assert self._outer is not None
        pause, deadline = Event(), time.monotonic() + _START_SECONDS
        while not (value := condition()):
            if self._outer.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"{otherwise}: {self._console.read_text(errors='replace').strip()[-500:]}")
            pause.wait(0.02)
        return value


# -- cgroups ----------------------------------------------------------------------------------------------------------


def _hierarchies() -> Iterator[Path]:
    """Where cgroups are mounted: one place with cgroup v2, one for each controller besides with v1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            yield Path(place)


def _make_cgroups(name: str) -> Iterator[Path]:
    for hierarchy in _hierarchies():
        cgroup = hierarchy / name
        try:
            cgroup.mkdir(exist_ok=True)
        except OSError as error:
            raise CannotStart(f"cannot make {cgroup}: {error.strerror}") from error
        for setting in ("cpuset.cpus", "cpuset.mems"):  # of v1, where a new one has none and takes no process
            if (hierarchy / setting).exists():
                (cgroup / setting).write_text((hierarchy / setting).read_text())
        yield cgroup


def _remove_cgroups(cgroups: Sequence[Path]) -> None:
    """Remove these and all below them, for as long as the kernel still sees off the last processes in them."""
    pause, deadline = Event(), time.monotonic() + 5.0
    while (cgroups := [cgroup for cgroup in cgroups if _remove_tree(cgroup)]) and time.monotonic() < deadline:
        pause.wait(0.05)


def _remove_tree(cgroup: Path) -> bool:
    """Remove a cgroup with all below it; True when it is still there."""
    for folder, _, _ in os.walk(cgroup, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return cgroup.exists()


def _sweep_cgroups() -> None:
    """Remove what tests that were killed left behind."""
    for hierarchy in _hierarchies():
        for cgroup in hierarchy.glob(f"{_CGROUP}-*"):
            if not Path("/proc", cgroup.name.rpartition("-")[2]).exists():
                _remove_tree(cgroup)


# -- inside: becoming PID 1 ---------------------------------------------------------------------------------------------


def _mount(source: str, target: Path, *options: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, source, str(target)], check=True)


def _become_systemd(scratch: Path, show: Mapping[Path, Path]) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    hierarchies = [line.split()[:4] for line in Path("/proc/self/mounts").read_text().splitlines()]
    root = _overlay(scratch)
    for target, source in show.items():
        _mount(str(source), root / target.relative_to("/"), "-o", "bind,ro")
    _mount("proc", root / "proc", "-t", "proc")
    _mount("sysfs", root / "sys", "-t", "sysfs")
    _mount_cgroups(root, [(Path(place), kind, options) for _, place, kind, options in hierarchies])
    _mount("tmpfs", root / "run", "-t", "tmpfs", "-o", "mode=755")
    _mount("tmpfs", root / "tmp", "-t", "tmpfs", "-o", "mode=1777")
    _make_devices(root / "dev")
    for unit in _MASKED:
        masked = root / "etc/systemd/system" / unit
        masked.unlink(missing_ok=True)
        masked.symlink_to("/dev/null")
    os.chdir(root)
    (root / "mnt").mkdir(exist_ok=True)
    subprocess.run(["pivot_root", ".", "mnt"], check=True)
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/mnt"], check=True)
    arguments = [str(SYSTEMD), "--system", "--show-status=false"]
    if not any(kind == "cgroup2" and place == "/sys/fs/cgroup" for _, place, kind, _ in hierarchies):
        arguments += ["systemd.unified_cgroup_hierarchy=0", "systemd.legacy_systemd_cgroup_controller=0"]
    os.execve(SYSTEMD, arguments, {**_ENVIRONMENT, "container": "unshare"})


def _overlay(scratch: Path) -> Path:
    """A root to which everything may be written, in memory; what is mounted elsewhere on this machine is not in it."""
    _mount("tmpfs", scratch, "-t", "tmpfs", "-o", "mode=755")
    for name in ("upper", "work"):
        (scratch / name).mkdir()
    root = scratch / "root"
    layers = f"lowerdir=/,upperdir={scratch / 'upper'},workdir={scratch / 'work'}"
    _mount("overlay", root, "-t", "overlay", "-o", layers)
    return root


def _mount_cgroups(root: Path, mounts: Sequence[tuple[Path, str, str]]) -> None:
    top = Path("/sys/fs/cgroup")
    if (top, "cgroup2") not in [(place, kind) for place, kind, _ in mounts]:
        _mount("tmpfs", root / "sys/fs/cgroup", "-t", "tmpfs")
    for place, kind, options in mounts:
        if kind == "cgroup2":
            _mount("cgroup2", root / place.relative_to("/"), "-t", "cgroup2")
        elif kind == "cgroup":
            own = [
                one
                for one in options.split(",")
                if one not in ("rw", "ro", "relatime", "nosuid", "nodev", "noexec")
            ]
            if "name=systemd" in own:
                own = ["none", "name=systemd"]
            _mount("cgroup", root / place.relative_to("/"), "-t", "cgroup", "-o", ",".join(own))


def _make_devices(dev: Path) -> None:
    """The harmless devices only: none of this machine's disks or terminals."""
    _mount("tmpfs", dev, "-t", "tmpfs", "-o", "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (dev / name).touch()
        subprocess.run(["mount", "--bind", f"/dev/{name}", str(dev / name)], check=True)
    _mount("devpts", dev / "pts", "-t", "devpts", "-o", "newinstance,ptmxmode=0666")
    _mount("tmpfs", dev / "shm", "-t", "tmpfs", "-o", "mode=1777")
    (dev / "ptmx").symlink_to("pts/ptmx")
    (dev / "fd").symlink_to("/proc/self/fd")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test
    _become_systemd(
        Path(sys.argv[1]),
        {Path(target): Path(source) for source, _, target in (word.rpartition("=") for word in sys.argv[2:])},
    )
