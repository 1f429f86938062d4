"""What can be asked about users. Each change is in the audit, by the transaction that makes it."""

from collections.abc import Mapping
from typing import Any, Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Principal, Role
from schedulerd.domain.audit import Change
from schedulerd.domain.users import User, check_password, user_name
from schedulerd.errors import Conflict
from schedulerd.operations.audit import keep
from schedulerd.operations.passwords import Passwords
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction


class Users:
    """Users, as somebody at an edge sees them. `by` is who asks."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._passwords: Final = passwords

    def get(self, name: str) -> User:
        """The user of that name. Raises `NotFound`."""
        with self._database.read() as tx:
            return tx.users.get(user_name(name))

    def add(self, name: str, role: Role, password: str, *, by: Principal) -> User:
        """A new user. Raises `Conflict`, and `BadParameters` for a name or a password that cannot be."""
        name = user_name(name)
        hashed = self._passwords.hash(check_password(password, user=name))
        with self._database.write() as tx:
            tx.users.add(name, role, hashed, at=self._clock.now())
            self._keep(tx, by, "users.add", name, after={"role": role.value})
            return tx.users.get(name)

    def set_role(self, name: str, role: Role, *, by: Principal) -> User:
        """Give a user another role, who has to sign in anew. Raises `NotFound`, and `Conflict` for the last admin."""
        with self._database.write() as tx:
            was = tx.users.get(user_name(name))
            tx.users.set_role(was.name, role)
            if was.role is not role:
                _require_admin(tx, was)
                tx.sessions.close_all(was.name)
                change = {"before": {"role": was.role.value}, "after": {"role": role.value}}
                self._keep(tx, by, "users.role", was.name, **change)
            return tx.users.get(was.name)

    def set_password(self, name: str, password: str, *, by: Principal) -> User:
        """Give a user another password, who has to sign in anew, everywhere. Raises `NotFound` and `BadParameters`."""
        name = self.get(name).name
        hashed = self._passwords.hash(check_password(password, user=name))
        with self._database.write() as tx:
            tx.users.get(name)
            tx.users.set_password(name, hashed)
            tx.sessions.close_all(name)
            self._keep(tx, by, "users.password", name)
            return tx.users.get(name)

    def disable(self, name: str, *, by: Principal) -> User:
        """Let a user in no more, by whatever means. Raises `NotFound`, and `Conflict` for the last admin."""
        with self._database.write() as tx:
            was = tx.users.get(user_name(name))
            if was.is_enabled:
                tx.users.set_disabled(was.name, self._clock.now())
                _require_admin(tx, was)
                tx.sessions.close_all(was.name)
                self._keep(
                    tx, by, "users.disable", was.name, before={"enabled": True}, after={"enabled": False}
                )
            return tx.users.get(was.name)

    def enable(self, name: str, *, by: Principal) -> User:
        """Let a user in again. Raises `NotFound`."""
        with self._database.write() as tx:
            was = tx.users.get(user_name(name))
            if not was.is_enabled:
                tx.users.set_disabled(was.name, None)
                self._keep(
                    tx, by, "users.enable", was.name, before={"enabled": False}, after={"enabled": True}
                )
            return tx.users.get(was.name)

    def remove(self, name: str, *, by: Principal) -> User:
        """Remove a user with all sessions and tokens; who it was. Another of that name is somebody else.

        Raises `NotFound`, and `Conflict` for the last admin.
        """
        with self._database.write() as tx:
            was = tx.users.get(user_name(name))
            tx.users.remove(was.name)
            _require_admin(tx, was)
            self._keep(tx, by, "users.remove", was.name, before={"role": was.role.value})
            return was

    def can_sign_in(self) -> bool:
        """Is there anybody who can sign in by a password?"""
        with self._database.read() as tx:
            return tx.users.can_sign_in()

    def _keep(
        self,
        tx: Transaction,
        by: Principal,
        what: str,
        name: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        change = Change(what=what, target=name, before=before, after=after)
        keep(tx, by, change, at=self._clock.now())

    # The last one, because from here on `list` is no type in this class.
    def list(self) -> list[User]:
        """All users, by name."""
        with self._database.read() as tx:
            return tx.users.all()


def _require_admin(tx: Transaction, was: User) -> None:
    """Raise `Conflict`, so that nothing of the transaction stays, where this one was the last admin who is let in."""
    if was.is_enabled and was.role is Role.ADMIN and tx.users.admins() == 0:
        raise Conflict(
            said("{name!r} is the last admin: nobody could give anybody a role any more", name=was.name),
            mend=said("make somebody else one first: `schedulerd users role NAME admin`"),
        )
