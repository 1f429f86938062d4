"""The users, and the hashes of their passwords."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from schedulerd.domain.access import Role
from schedulerd.domain.near import near
from schedulerd.domain.users import User
from schedulerd.errors import Conflict, NotFound
from schedulerd.sentences import said
from schedulerd.store.access_tables import users
from schedulerd.store.tables import AnyRow

_ALL: Final = select(users).order_by(users.c.name)
_ONE: Final = select(users).where(users.c.name == bindparam("name"))
_IS_ENABLED: Final = users.c.disabled_at.is_(None)
_WHO: Final = users.c.name == bindparam("named")
_SET_ROLE: Final = update(users).where(_WHO).values(role=bindparam("to"))
_SET_PASSWORD: Final = update(users).where(_WHO).values(password_hash=bindparam("to"))
_SET_DISABLED: Final = (
    update(users).where(_WHO).values(disabled_at=bindparam("to", type_=users.c.disabled_at.type))
)


class Users:
    """Users by name."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def all(self) -> list[User]:
        """All of them, by name."""
        return [_user(row) for row in self._connection.execute(_ALL)]

    def find(self, name: str) -> User | None:
        """The user of that name, None where there is none."""
        row = self._connection.execute(_ONE, {"name": name}).one_or_none()
        return None if row is None else _user(row)

    def get(self, name: str) -> User:
        """The user of that name. Raises `NotFound`."""
        found = self.find(name)
        if found is None:
            raise NotFound("user", name, near=near(name, [one.name for one in self.all()]))
        return found

    def password_hash(self, name: str) -> str | None:
        """The hash by which an enabled user signs in; None for anybody else."""
        query = select(users.c.password_hash).where(users.c.name == name, _IS_ENABLED)
        hashed: str | None = self._connection.scalar(query)
        return hashed

    def can_sign_in(self) -> bool:
        """Is there an enabled user with a password?"""
        query = select(users.c.name).where(_IS_ENABLED, users.c.password_hash.is_not(None)).limit(1)
        return self._connection.execute(query).first() is not None

    def admins(self) -> int:
        """How many enabled admins there are."""
        query = select(func.count()).select_from(users).where(_IS_ENABLED, users.c.role == Role.ADMIN.value)
        return int(self._connection.execute(query).scalar_one())

    def add(self, name: str, role: Role, password_hash: str, *, at: datetime) -> None:
        """A new user. Raises `Conflict`."""
        if self.find(name) is not None:
            raise Conflict(said("there is a user {name!r} already", name=name))
        row = {"name": name, "role": role.value, "password_hash": password_hash, "created_at": at}
        self._connection.execute(insert(users), row)

    def remove(self, name: str) -> None:
        """Remove a user, with all sessions and tokens of that one."""
        self._connection.execute(delete(users).where(users.c.name == name))

    def set_role(self, name: str, role: Role) -> None:
        """Give a user a role."""
        self._connection.execute(_SET_ROLE, {"named": name, "to": role.value})

    def set_password(self, name: str, password_hash: str) -> None:
        """Have a user sign in by another password."""
        self._connection.execute(_SET_PASSWORD, {"named": name, "to": password_hash})

    def set_disabled(self, name: str, at: datetime | None) -> None:
        """Let a user sign in no more, or again where `at` is None."""
        self._connection.execute(_SET_DISABLED, {"named": name, "to": at})


def _user(row: AnyRow) -> User:
    return User(
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        has_password=row.password_hash is not None,
    )
