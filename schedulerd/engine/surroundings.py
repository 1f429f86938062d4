"""Gives a process what its run is to have: user, environment, working directory, limits. For the forked child only.

The order matters. What needs root comes before the user is another, what the user must be allowed itself comes after,
and the limit on memory is last, so that it does not meet our own work.
"""

import ctypes
import os
import resource
import stat
from collections.abc import Callable, Mapping
from typing import Any, Final

from schedulerd.domain.sizes import size_text
from schedulerd.domain.surroundings import Surroundings
from schedulerd.engine.accounts import Account, account_of, loader_variable, name_of, refusal_of
from schedulerd.engine.env_files import BadEnvFile, read_env_file

Request = Mapping[str, Any]
Warn = Callable[[str], None]

# What a run as another user has of the daemon's environment: where programs are, and how texts and times are shown.
_KEPT: Final = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "SCHEDULERD_RUN_FOLDER"})
_KEPT_PREFIX: Final = "LC_"
_DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin"

# proc_pid_stat(5): where the environment that the program was started with lies, from the third field on.
_ENV_START, _ENV_END = 50 - 3, 51 - 3
_LEAST_GRACE_SECONDS: Final = 1


class CannotSurround(Exception):
    """Why a run cannot have the surroundings that it is to have, for people. Nothing of it has run."""


def surround(request: Request, *, warn: Warn) -> None:
    """Give this process the surroundings of the request, before any user code. Raises `CannotSurround`."""
    said = request.get("surroundings")
    if not said:
        _work_in(request["directory"])
        for name, value in request.get("environment", {}).items():
            os.environ[name] = value
        return
    wanted = Surroundings.from_json(said)
    account = _other_account(wanted.user)
    from_file = _from_file(wanted, account, warn)
    _limit(wanted, grace=float(request["grace"]))
    if account is not None:
        _become(account)
    if wanted.umask is not None:
        os.umask(wanted.umask)
    _work_in(request["directory"])
    os.environ.update(from_file | request.get("environment", {}))
    if account is not None and request["kind"] == "flow" and not os.access(os.__file__, os.R_OK):
        warn(
            f"{account.name} cannot read Python's library at {os.path.dirname(os.__file__)}; imports may fail"
        )
    if wanted.memory_bytes:
        _limit_memory(wanted.memory_bytes)


def _other_account(user: str | None) -> Account | None:
    """The account to become; None where we are it."""
    if user is None:
        return None
    account = account_of(user)
    if account is None:
        raise CannotSurround(f"`user`: there is no user {user!r} on this machine")
    return None if account.uid == os.geteuid() else account


def _from_file(wanted: Surroundings, account: Account | None, warn: Warn) -> dict[str, str]:
    if wanted.env_file is None:
        return {}
    owners = {0, os.geteuid()} | (set() if account is None else {account.uid})
    try:
        variables = read_env_file(wanted.env_file, owners=owners, warn=warn)
    except BadEnvFile as error:
        raise CannotSurround(str(error)) from error
    if account is not None and (name := loader_variable(variables)):
        raise CannotSurround(f"`env_file` {wanted.env_file}: {refusal_of(name, account.name)}")
    return variables


def _limit(wanted: Surroundings, *, grace: float) -> None:
    if wanted.cpu_seconds:
        last = wanted.cpu_seconds + max(_LEAST_GRACE_SECONDS, round(grace))
        _set_limit("cpu_time", resource.RLIMIT_CPU, wanted.cpu_seconds, last)
    if wanted.open_files:
        _set_limit("open_files", resource.RLIMIT_NOFILE, wanted.open_files, wanted.open_files)
    if wanted.nice is not None:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, wanted.nice)
        except OSError as error:
            raise CannotSurround(f"`nice` of {wanted.nice} cannot be had: {error.strerror}") from error


def _limit_memory(size: int) -> None:
    """Limit what each process may have of writable memory of its own (RLIMIT_DATA of getrlimit(2))."""
    if (used := _used_memory()) > size:
        reason = f"`memory` of {size_text(size)} is less than the {size_text(used)} that a run begins with"
        raise CannotSurround(reason)
    _set_limit("memory", resource.RLIMIT_DATA, size, size)


def _used_memory() -> int:
    with open("/proc/self/status", "rb") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmData:")), 0)


def _set_limit(key: str, kind: int, soft: int, hard: int) -> None:
    _, most = resource.getrlimit(kind)
    if most != resource.RLIM_INFINITY and os.geteuid() != 0:
        hard = min(hard, most)
    try:
        resource.setrlimit(kind, (min(soft, hard), hard))
    except (OSError, ValueError) as error:
        raise CannotSurround(f"`{key}` cannot be limited: {error}") from error


def _become(account: Account) -> None:
    """Be this user, for good, with nothing of root's: no groups, no environment, no files but the run's own output."""
    path = os.environ.get("PATH", _DEFAULT_PATH)
    kept = {
        name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIX)
    }
    try:
        _own_output(account.uid)
        os.initgroups(account.name, account.gid)
        os.setresgid(account.gid, account.gid, account.gid)
        os.environ.clear()
        _wipe_first_environment()
        os.setresuid(account.uid, account.uid, account.uid)
    except OSError as error:
        raise CannotSurround(f"cannot run as {account.name}: {error.strerror}") from error
    of_account = {"HOME": account.home, "USER": account.name, "LOGNAME": account.name, "SHELL": account.shell}
    os.environ.update(kept | {"PATH": path} | of_account)


def _own_output(uid: int) -> None:
    """Let the user open its own output anew, as `>/dev/stderr` in a shell does."""
    for descriptor in (0, 1, 2):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchown(descriptor, uid, -1)


def _wipe_first_environment() -> None:
    """Blank the environment that the spawner was started with: a fork shows it as /proc/self/environ.

    Nothing points there any more once `os.environ` has been cleared, which unsets each variable in C too.
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)


def _work_in(directory: str) -> None:
    try:
        os.chdir(directory)
    except OSError as error:
        who = name_of(os.geteuid())
        raise CannotSurround(f"{who} cannot work in the directory {directory}: {error.strerror}") from error
