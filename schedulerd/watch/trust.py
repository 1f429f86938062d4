"""Whether a file that decides what runs may be believed: only root and we ourselves may be able to change it."""

import grp
import os
import pwd
import stat
from pathlib import Path

from schedulerd.errors import BadDefinition


class Trust:
    """Judges files as the user `uid`; remembers what it learned of groups, so use a new one for each look."""

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self._private: dict[tuple[int, int], bool] = {}

    def fault(self, path: Path, status: os.stat_result) -> BadDefinition | None:
        """Why `path` is not to be believed, with the mend; None when it is."""
        if status.st_uid not in (0, self._uid):
            reason = f"belongs to {_user_name(status.st_uid)}, not to root or {_user_name(self._uid)}"
            return BadDefinition(
                f"refused: it {reason}", file=path, mend=f"chown {_user_name(self._uid)} {path}"
            )
        if status.st_mode & stat.S_IWOTH:
            return BadDefinition("refused: anybody may write to it", file=path, mend=f"chmod o-w {path}")
        if status.st_mode & stat.S_IWGRP and not self._is_private(status.st_gid, status.st_uid):
            reason = f"refused: the group {_group_name(status.st_gid)} may write to it"
            return BadDefinition(reason, file=path, mend=f"chmod g-w {path}")
        return None

    def _is_private(self, gid: int, owner: int) -> bool:
        if (gid, owner) not in self._private:
            self._private[gid, owner] = _has_no_other_member(gid, owner)
        return self._private[gid, owner]


def read_trusted(path: Path, trust: Trust, *, limit: int) -> bytes:
    """The content of a regular file that may be believed, or `BadDefinition`; it has at most `limit` bytes."""
    try:
        # not blocking: a named pipe of that name must not hold us up
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if fault := trust.fault(path, os.fstat(stream.fileno())):
                raise fault
            content = stream.read(limit + 1)
    except OSError as error:
        raise BadDefinition(f"cannot be read: {error.strerror}", file=path) from error
    if len(content) > limit:
        raise BadDefinition(f"is larger than {limit} bytes", file=path)
    return content


def _has_no_other_member(gid: int, owner: int) -> bool:
    """Is the group the owner's own, as Debian and Fedora make one for each user (with a umask of 002)?"""
    if gid == 0:
        return True
    try:
        named = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        return False
    by_account = {user.pw_name for user in pwd.getpwall() if user.pw_gid == gid}
    return named | by_account <= {_user_name(owner), "root"}


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
