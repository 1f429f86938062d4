"""Who may come in, as the two databases keep it: by hashes, once where it is to be once, and not longer than said."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Final

import pytest

from schedulerd.domain.access import Means, Role, Scope
from schedulerd.domain.audit import AuditFilter, Change
from schedulerd.domain.sessions import AHEAD, CODE_LIFE, IDLE, LONGEST
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW
from tests.store.scenes import HASH, a_token, let_in

CODE: Final = b"c" * 32
COOKIE: Final = b"s" * 32


def test_a_user_is_found_by_name_and_a_second_of_that_name_is_refused(database: Database) -> None:
    with database.write() as tx:
        let_in(tx)
        with pytest.raises(Conflict, match="'kim' already"):
            tx.users.add("kim", Role.ADMIN, HASH, at=NOW)
        with pytest.raises(NotFound, match="did you mean kim"):
            tx.users.get("kimm")

        assert tx.users.get("kim").role is Role.OPERATOR
        assert (tx.users.can_sign_in(), tx.users.admins()) == (True, 0)


def test_nobody_who_is_disabled_has_a_password_a_session_or_a_token(database: Database) -> None:
    with database.write() as tx:
        let_in(tx)
        tx.api_tokens.add(a_token("ba9876543210", owner="kim", user="kim"), b"u" * 32)
        assert tx.sessions.find(COOKIE) is not None
        assert tx.api_tokens.find("ba9876543210") is not None

        tx.users.set_disabled("kim", NOW)

        assert tx.users.password_hash("kim") is None
        assert tx.sessions.find(COOKIE) is None
        assert tx.api_tokens.find("ba9876543210") is None
        assert not tx.users.can_sign_in()
        tx.users.set_disabled("kim", None)
        assert tx.users.password_hash("kim") == HASH


def test_a_session_and_a_token_of_a_user_may_what_the_user_may_now(database: Database) -> None:
    with database.write() as tx:
        let_in(tx)
        scopes = frozenset({Scope.RUNS_CANCEL, Scope.RUNS_READ})
        tx.api_tokens.add(a_token("ba9876543210", owner="kim", user="kim", scopes=scopes), b"u" * 32)

        tx.users.set_role("kim", Role.VIEWER)

        session, known = tx.sessions.find(COOKIE), tx.api_tokens.find("ba9876543210")
        assert session is not None
        assert session.role is Role.VIEWER
        assert known is not None
        assert known.token.allowed == frozenset({Scope.RUNS_READ})
        assert known.token.allowed_role is Role.VIEWER


def test_a_code_lets_exactly_one_of_many_in(
    database: Database, open_database: Callable[..., Database]
) -> None:
    with database.write() as tx:
        let_in(tx)
    start, others = Barrier(4), [open_database(timeout=timedelta(seconds=20)) for _ in range(4)]

    def use(other: Database) -> bool:
        start.wait()
        with other.write() as tx:
            return tx.sessions.use_code(CODE, at=NOW) is not None

    with ThreadPoolExecutor(4) as threads:
        let = list(threads.map(use, others))

    assert sorted(let) == [False, False, False, True]


def test_that_a_session_was_seen_is_written_by_one_of_those_who_found_it(database: Database) -> None:
    with database.write() as tx:
        let_in(tx)
        session = tx.sessions.find(COOKIE)
        assert session is not None

        assert tx.sessions.seen(session, at=NOW + A_SECOND)
        assert not tx.sessions.seen(session, at=NOW + 2 * A_SECOND)
        assert tx.sessions.all("kim")[0].seen_at == NOW + A_SECOND


@pytest.mark.parametrize(
    ("later", "sessions", "codes"),
    [
        (timedelta(), 1, 1),
        (CODE_LIFE, 1, 0),
        (IDLE, 0, 0),
        (-AHEAD, 1, 1),
        (-AHEAD - A_SECOND, 0, 0),
    ],
    ids=["at once", "ten minutes", "half a day", "clocks that differ", "a clock set back"],
)
def test_what_is_over_is_forgotten(database: Database, later: timedelta, sessions: int, codes: int) -> None:
    with database.write() as tx:
        let_in(tx)

        tx.sessions.forget(NOW + later)

        left = tx.sessions.use_code(CODE, at=NOW)
        assert (len(tx.sessions.all()), int(left is not None)) == (sessions, codes)


def test_a_session_that_is_used_all_the_time_is_forgotten_at_last(database: Database) -> None:
    with database.write() as tx:
        let_in(tx)
        session = tx.sessions.find(COOKIE)
        assert session is not None
        tx.sessions.seen(session, at=NOW + LONGEST - A_SECOND)

        tx.sessions.forget(NOW + LONGEST - A_SECOND)
        assert len(tx.sessions.all()) == 1
        tx.sessions.forget(NOW + LONGEST)
        assert tx.sessions.all() == []


def test_an_expired_token_is_forgotten_and_not_one_that_a_wrong_clock_made(database: Database) -> None:
    with database.write() as tx:
        tx.api_tokens.add(a_token(), b"t" * 32)

        tx.api_tokens.forget(NOW - timedelta(days=1_000))
        tx.api_tokens.forget(NOW + timedelta(days=1) - A_SECOND)
        assert len(tx.api_tokens.all("root")) == 1
        tx.api_tokens.forget(NOW + timedelta(days=1))
        assert tx.api_tokens.all() == []


def _audit(tx: Transaction, number: int, who: str) -> None:
    change = Change(what="runs.cancel", target=f"etl#{number}", before={"n": number}, after={"한": None})
    tx.audit.add(change, at=NOW + number * A_SECOND, who=who, means=Means.PASSWORD, address="192.0.2.1")


def test_the_audit_is_read_in_pages_of_the_newest_and_what_is_old_is_removed(database: Database) -> None:
    with database.write() as tx:
        for number in range(6):
            _audit(tx, number, "kim" if number % 2 else "lee")

        first = tx.audit.list(AuditFilter(limit=2))
        second = tx.audit.list(AuditFilter(limit=2, before=first[-1].key))
        kims = tx.audit.list(AuditFilter(who="kim", since=NOW + 2 * A_SECOND))
        tx.audit.forget(NOW + 4 * A_SECOND)

        assert [one.change.target for one in (*first, *second)] == ["etl#5", "etl#4", "etl#3", "etl#2"]
        assert [one.change.target for one in kims] == ["etl#5", "etl#3"]
        assert (first[0].change.before, first[0].change.after) == ({"n": 5}, {"한": None})
        assert (first[0].means, first[0].address) == (Means.PASSWORD, "192.0.2.1")
        assert [one.change.target for one in tx.audit.list(AuditFilter())] == ["etl#5", "etl#4"]
