"""What can be asked by somebody who wants in: to sign in by a password or a code, to be recognised, to sign out."""

import contextlib
import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.access import Means, Principal, Role
from schedulerd.domain.api_tokens import ApiToken, parse_token
from schedulerd.domain.audit import Change
from schedulerd.domain.sessions import MOST_SESSIONS, Session, SignInCode, is_seen_anew
from schedulerd.domain.users import LONGEST_PASSWORD, password_text, user_name
from schedulerd.errors import BadParameters, NotFound, NotPermitted, StoreUnavailable
from schedulerd.operations.audit import keep
from schedulerd.operations.passwords import Passwords
from schedulerd.sentences import said
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

_BYTES: Final = 32
_LONGEST_AGENT: Final = 300
_NOBODY: Final = "there is no such user, or this is not the password"


@dataclass(frozen=True, kw_only=True, slots=True)
class From:
    """Where somebody is: the address, and the browser as it names itself."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A session that was opened. `cookie` is what the browser shows from now on; it is kept nowhere."""

    cookie: str
    principal: Principal


def new_secret() -> str:
    """256 bits of chance, as text."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> bytes:
    """What is kept of something that lets somebody in. It is chance, so that there is nothing to be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class SignIn:
    """Who comes in, and by what."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._passwords: Final = passwords

    def by_password(self, name: str, password: str, place: From, *, instead_of: str = "") -> Opened:
        """Open a session for the user, in place of the one with that cookie. It takes 100 ms, whoever asks.

        Raises `NotPermitted`, which does not say whether there is such a user.
        """
        known, typed = _known_name(name), password_text(password[: LONGEST_PASSWORD + 1])
        hashed = self.require_password(known, typed)
        better = None if self._passwords.is_of_today(hashed) else self._passwords.hash(typed)
        with self._database.write() as tx:
            if tx.users.password_hash(known) != hashed:  # changed, or the user was disabled, meanwhile
                raise NotPermitted(_NOBODY)
            if better is not None:
                tx.users.set_password(known, better)
            self._close(tx, instead_of)
            return self._open(tx, known, tx.users.get(known).role, place, means=Means.PASSWORD)

    def require_password(self, name: str, password: str) -> str:
        """Raise `NotPermitted` unless it is the password of the user, of which this is kept."""
        with self._database.read() as tx:
            hashed = tx.users.password_hash(_known_name(name))
        typed = password_text(password[: LONGEST_PASSWORD + 1])
        if not self._passwords.is_right(hashed, typed) or hashed is None:
            raise NotPermitted(_NOBODY)
        return hashed

    def note_failures(self, name: str, count: int, place: From) -> None:
        """Keep in the audit that so many passwords in a row were wrong. A name that is nobody's may be a password."""
        with self._database.write() as tx:
            known = tx.users.find(_known_name(name))
            who = Principal(
                name="nobody" if known is None else known.name,
                role=Role.VIEWER,
                means=Means.PASSWORD,
                address=place.address,
            )
            keep(tx, who, Change(what="sign_in.refused", after={"count": count}), at=self._clock.now())

    def make_code(self, who: str, role: Role, *, by: Principal) -> str:
        """A code by which a browser can sign in as this one, once, within ten minutes."""
        code, now = new_secret(), self._clock.now()
        with self._database.write() as tx:
            tx.sessions.forget(now)
            tx.sessions.add_code(digest_of(code), SignInCode(who=who, role=role, made_at=now))
            keep(tx, by, Change(what="sign_in.link", target=who, after={"role": role.value}), at=now)
        return code

    def by_code(self, code: str, place: From, *, instead_of: str = "") -> Opened:
        """Open a session for exactly one of those who show the code. Raises `NotPermitted`."""
        now = self._clock.now()
        with self._database.write() as tx:
            found = tx.sessions.use_code(digest_of(code), at=now)
            if found is None or found.is_over(now):
                raise NotPermitted(said("this link was used already, or is too old"))
            self._close(tx, instead_of)
            return self._open(tx, found.who, found.role, place, means=Means.LINK)

    def by_cookie(self, cookie: str) -> Principal | None:
        """Whose session this is; None where there is none, or it is over."""
        now = self._clock.now()
        with self._database.read() as tx:
            session = tx.sessions.find(digest_of(cookie))
        if session is None or session.is_over(now):
            return None
        if is_seen_anew(session.seen_at, now):
            with contextlib.suppress(StoreUnavailable), self._database.write() as tx:
                tx.sessions.seen(session, at=now)
        return _principal(session)

    def by_token(self, text: str, *, address: str = "") -> Principal | None:
        """Whose token this is; None where there is none, or it has expired."""
        parts, now = parse_token(text), self._clock.now()
        if parts is None:
            return None
        with self._database.read() as tx:
            known = tx.api_tokens.find(parts.id)
        shown = digest_of(parts.secret)
        if known is None or not secrets.compare_digest(known.digest, shown) or known.token.is_over(now):
            return None
        token = known.token
        if is_seen_anew(token.used_at, now):
            with contextlib.suppress(StoreUnavailable), self._database.write() as tx:
                tx.api_tokens.used(token.id, at=now)
        return _owner(token, address)

    def present(self, who: Collection[Principal]) -> Mapping[Principal, Principal]:
        """Of those who were recognised by a session or a token: who would be still, and as what. It counts as no use."""
        now = self._clock.now()
        sessions = [int(one.key) for one in who if one.means is not Means.TOKEN and one.key]
        tokens = [one.key for one in who if one.means is Means.TOKEN]
        with self._database.read() as tx:
            opened = tx.sessions.by_keys(sessions) if sessions else []
            made = tx.api_tokens.by_ids(tokens) if tokens else []
        found = [
            *(_principal(one) for one in opened if not one.is_over(now)),
            *(_owner(one, "") for one in made if not one.is_over(now)),
        ]
        known = {(one.means is Means.TOKEN, one.key): one for one in found}
        places = {one: (one.means is Means.TOKEN, one.key) for one in who}
        return {one: known[place] for one, place in places.items() if place in known}

    def sign_out(self, cookie: str) -> bool:
        """End the session; False where there is none."""
        with self._database.write() as tx:
            return self._close(tx, cookie)

    def sessions(self, *, of: Principal | None = None) -> list[Session]:
        """Who has signed in: all, or only this one."""
        now = self._clock.now()
        with self._database.read() as tx:
            found = tx.sessions.all(None if of is None else of.name)
        return [one for one in found if not one.is_over(now) and (of is None or one.user == of.user)]

    def end_session(self, key: int, *, by: Principal) -> None:
        """End a session: one's own, or as an admin anybody's. Raises `NotFound`."""
        with self._database.write() as tx:
            found = next((one for one in tx.sessions.all() if one.key == key), None)
            if found is None or not (by.is_same(found.who, found.user) or by.may(Role.ADMIN)):
                raise NotFound("session", str(key))
            tx.sessions.close(key)
            keep(tx, by, Change(what="sessions.end", target=f"{found.who} {key}"), at=self._clock.now())

    def _open(self, tx: Transaction, who: str, role: Role, place: From, *, means: Means) -> Opened:
        cookie, now = new_secret(), self._clock.now()
        user = who if means is Means.PASSWORD else None
        own = [one for one in tx.sessions.all(who) if one.user == user]
        for old in own[MOST_SESSIONS - 1 :]:
            tx.sessions.close(old.key)
        agent = place.agent[:_LONGEST_AGENT]
        tx.sessions.open(
            digest_of(cookie), who=who, user=user, role=role, at=now, agent=agent, address=place.address
        )
        found = tx.sessions.find(digest_of(cookie))
        assert found is not None
        principal = _principal(found)
        keep(tx, principal, Change(what="sign_in"), at=now)
        return Opened(cookie=cookie, principal=principal)

    def _close(self, tx: Transaction, cookie: str) -> bool:
        found = tx.sessions.find(digest_of(cookie)) if cookie else None
        if found is None:
            return False
        keep(tx, _principal(found), Change(what="sign_out"), at=self._clock.now())
        return tx.sessions.close(found.key)


def _known_name(name: str) -> str:
    """The name as users have it; what cannot be one is nobody's."""
    try:
        return user_name(name)
    except BadParameters:
        return ""


def _owner(token: ApiToken, address: str) -> Principal:
    return Principal(
        name=token.owner,
        role=token.allowed_role,
        means=Means.TOKEN,
        scopes=token.allowed,
        address=address,
        user=token.user,
        key=token.id,
    )


def _principal(session: Session) -> Principal:
    return Principal(
        name=session.who,
        role=session.role,
        means=session.means,
        address=session.address,
        user=session.user,
        key=str(session.key),
    )
