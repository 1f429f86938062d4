"""Sessions of browsers, and the codes by which one is opened without a password. Each is known by its SHA-256."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from schedulerd.domain.access import Role
from schedulerd.domain.sessions import AHEAD, CODE_LIFE, IDLE, LONGEST, Session, SignInCode
from schedulerd.store.access_tables import sessions, sign_in_codes, users
from schedulerd.store.tables import AnyRow

# A user's role is the one that the user has now, and who is disabled has no session.
_ALL: Final = (
    select(*sessions.c, func.coalesce(users.c.role, sessions.c.role).label("role_now"))
    .select_from(sessions.outerjoin(users, users.c.name == sessions.c.user_name))
    .where(users.c.disabled_at.is_(None))
)
_ONE: Final = _ALL.where(sessions.c.digest == bindparam("digest"))
_SOME: Final = _ALL.where(sessions.c.id.in_(bindparam("keys", expanding=True)))
_SEEN: Final = (
    update(sessions)
    .where(
        sessions.c.id == bindparam("key"),
        sessions.c.seen_at == bindparam("was", type_=sessions.c.seen_at.type),
    )
    .values(seen_at=bindparam("at", type_=sessions.c.seen_at.type))
)
_USE: Final = (
    update(sign_in_codes)
    .where(sign_in_codes.c.digest == bindparam("which"), sign_in_codes.c.used_at.is_(None))
    .values(used_at=bindparam("at", type_=sign_in_codes.c.used_at.type))
)


class Sessions:
    """Who has signed in."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def find(self, digest: bytes) -> Session | None:
        """The session with this hash, over or not; None where there is none, or its user is disabled."""
        row = self._connection.execute(_ONE, {"digest": digest}).one_or_none()
        return None if row is None else _session(row)

    def all(self, who: str | None = None) -> list[Session]:
        """All sessions, or those of one name; the one that was seen last first."""
        query = _ALL.order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
        if who is not None:
            query = query.where(sessions.c.who == who)
        return [_session(row) for row in self._connection.execute(query)]

    def by_keys(self, keys: Collection[int]) -> list[Session]:
        """Those of them that there are, over or not; none of a user who is disabled."""
        return [_session(row) for row in self._connection.execute(_SOME, {"keys": list(keys)})]

    def open(
        self, digest: bytes, *, who: str, user: str | None, role: Role, at: datetime, agent: str, address: str
    ) -> None:
        """A new session; `role` counts where it is no user's."""
        row = {
            "digest": digest,
            "who": who,
            "user_name": user,
            "role": role.value if user is None else None,
            "created_at": at,
            "seen_at": at,
            "agent": agent,
            "address": address,
        }
        self._connection.execute(insert(sessions), row)

    def seen(self, session: Session, *, at: datetime) -> bool:
        """Note that it was used; True for exactly one of those who found it as it was."""
        values = {"key": session.key, "was": session.seen_at, "at": at}
        return self._connection.execute(_SEEN, values).rowcount == 1

    def close(self, key: int) -> bool:
        """End it; False when there is none."""
        return self._connection.execute(delete(sessions).where(sessions.c.id == key)).rowcount == 1

    def close_all(self, user: str) -> int:
        """End those of a user; how many there were."""
        return self._connection.execute(delete(sessions).where(sessions.c.user_name == user)).rowcount

    def add_code(self, digest: bytes, code: SignInCode) -> None:
        """A code that can be used from now on."""
        row = {"digest": digest, "who": code.who, "role": code.role.value, "made_at": code.made_at}
        self._connection.execute(insert(sign_in_codes), row)

    def use_code(self, digest: bytes, *, at: datetime) -> SignInCode | None:
        """The code with this hash, over or not, for exactly one caller; None for everybody else."""
        if self._connection.execute(_USE, {"which": digest, "at": at}).rowcount != 1:
            return None
        row = self._connection.execute(select(sign_in_codes).where(sign_in_codes.c.digest == digest)).one()
        return SignInCode(who=row.who, role=Role(row.role), made_at=row.made_at)

    def forget(self, now: datetime) -> None:
        """Remove what is over: a clock that is set back later revives none of it, nor does one that was ahead."""
        seen, created, made = sessions.c.seen_at, sessions.c.created_at, sign_in_codes.c.made_at
        over = or_(seen <= now - IDLE, created <= now - LONGEST, seen > now + AHEAD, created > now + AHEAD)
        self._connection.execute(delete(sessions).where(over))
        old = or_(made <= now - CODE_LIFE, made > now + AHEAD)
        self._connection.execute(delete(sign_in_codes).where(old))


def _session(row: AnyRow) -> Session:
    return Session(
        key=row.id,
        who=row.who,
        role=Role(row.role_now),
        user=row.user_name,
        created_at=row.created_at,
        seen_at=row.seen_at,
        agent=row.agent,
        address=row.address,
    )
