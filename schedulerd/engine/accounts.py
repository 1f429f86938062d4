"""Whom runs can run as, and what else of their surroundings depends on who the daemon is on this machine."""

import pwd
import resource
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schedulerd.domain.entries import BadEntry
from schedulerd.domain.surroundings import Surroundings

_LOADER_PREFIX: Final = "LD_"  # LD_PRELOAD, LD_LIBRARY_PATH, LD_AUDIT and the others of ld.so(8)
_LOADERS: Final = frozenset(
    {"GLIBC_TUNABLES", "GCONV_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user, as the system knows it."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


def account_of(name: str) -> Account | None:
    """The account of this name, None where there is none."""
    try:
        found = pwd.getpwnam(name)
    except (KeyError, ValueError):
        return None
    return Account(
        name=found.pw_name,
        uid=found.pw_uid,
        gid=found.pw_gid,
        home=found.pw_dir,
        shell=found.pw_shell or "/bin/sh",
    )


def name_of(uid: int) -> str:
    """What the user is called, its number where it has no account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def loader_variable(names: Iterable[str]) -> str | None:
    """The first of these variables that says which code a program loads, None where there is none."""
    return next((name for name in names if name.startswith(_LOADER_PREFIX) or name in _LOADERS), None)


def check_surroundings(surroundings: Surroundings, environment: Iterable[str], *, uid: int) -> None:
    """Raise `BadEntry` for what a daemon that runs as `uid` cannot give to a run, or must not."""
    if surroundings.user is not None:
        _check_user(surroundings.user, environment, uid=uid)
    if uid == 0:
        return
    if surroundings.nice is not None and surroundings.nice < 0:
        raise _wrong("nice", f"only root can go below 0, and this daemon runs as {name_of(uid)}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and (surroundings.open_files or 0) > most:
        raise _wrong(
            "open_files", f"{surroundings.open_files:,} are more than the {most:,} that the daemon may have"
        )


def _check_user(user: str, environment: Iterable[str], *, uid: int) -> None:
    account = account_of(user)
    if account is None:
        raise _wrong("user", f"there is no user {user!r} on this machine")
    if account.uid == uid:
        return
    if uid != 0:
        reason = f"only a daemon that runs as root can run something as {user}, and this one runs as {name_of(uid)}"
        raise _wrong("user", reason)
    if name := loader_variable(environment):
        raise _wrong("environment", refusal_of(name, user))


def refusal_of(variable: str, user: str) -> str:
    """Why this variable is not for a run as another user, and where it can stand."""
    return (
        f"{variable} says which code is loaded, and is refused for a run as another user ({user}); "
        "set it in the command itself, or in the flow for what that starts"
    )


def _wrong(key: str, reason: str) -> BadEntry:
    return BadEntry(f"`{key}`: {reason}", path=(key,))
