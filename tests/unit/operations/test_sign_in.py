"""Signing in by a password, a link and a token; and what users and tokens may be changed by whom."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Final

import pytest

from schedulerd.domain.access import Means, Principal, Role, Scope
from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.sessions import CODE_LIFE, IDLE, MOST_SESSIONS
from schedulerd.errors import BadParameters, Conflict, NotFound, NotPermitted
from schedulerd.operations.operations import Operations
from schedulerd.operations.passwords import NOBODY, Passwords
from schedulerd.operations.sign_in import From
from schedulerd.store.database import Database
from tests.fakes import FakeClock
from tests.store.test_pings import statements

PASSWORD: Final = "canary battery staple 4711"
ROOT: Final = Principal(name="root", role=Role.ADMIN)
HERE: Final = From(address="192.0.2.1", agent="Firefox")


class Scene:
    """A database with an admin `kim`, and what can be asked."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database = database
        self.clock = FakeClock()
        self.asked = Operations(database, state_dir=state_dir, clock=self.clock)
        self.asked.users.add("kim", Role.ADMIN, PASSWORD, by=ROOT)

    def audit(self) -> list[tuple[str, str, str]]:
        """What was done, the oldest first."""
        entries = self.asked.audit.list(AuditFilter())
        return [(one.who, one.change.what, one.change.target) for one in reversed(entries)]


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> Scene:
    return Scene(sqlite_database, tmp_path)


def test_a_user_signs_in_by_the_password_and_is_known_by_the_cookie(scene: Scene) -> None:
    opened = scene.asked.sign_in.by_password("Kim", PASSWORD, HERE)

    known = scene.asked.sign_in.by_cookie(opened.cookie)
    assert known == opened.principal
    assert known is not None
    assert (known.name, known.role, known.means, known.user) == ("kim", Role.ADMIN, Means.PASSWORD, "kim")
    assert scene.asked.sign_in.by_cookie(opened.cookie + "x") is None
    assert scene.audit() == [("root", "users.add", "kim"), ("kim", "sign_in", "")]


@pytest.mark.parametrize(
    ("name", "password"),
    [("kim", PASSWORD + "x"), ("kim", ""), ("lee", PASSWORD), ("", PASSWORD), ("a b\x00", PASSWORD), ("kim", "x" * 5_000)],
)  # fmt: skip
def test_everybody_else_is_told_the_same(scene: Scene, name: str, password: str) -> None:
    with pytest.raises(NotPermitted, match="there is no such user, or this is not the password"):
        scene.asked.sign_in.by_password(name, password, HERE)

    assert scene.asked.sign_in.sessions() == []


def test_it_takes_as_long_to_refuse_a_user_who_is_not_there(scene: Scene) -> None:
    def seconds(name: str) -> float:
        began = process_time()
        with pytest.raises(NotPermitted):
            scene.asked.sign_in.by_password(name, "wrong password 1", HERE)
        return process_time() - began

    seconds("kim")
    there, not_there = (min(seconds(name) for _ in range(3)) for name in ("kim", "nobody"))

    assert 0.5 < not_there / there < 2
    assert Passwords().is_of_today(NOBODY)


def test_a_disabled_user_is_let_in_no_more_and_is_out_at_once(scene: Scene) -> None:
    scene.asked.users.add("lee", Role.ADMIN, PASSWORD, by=ROOT)
    opened = scene.asked.sign_in.by_password("lee", PASSWORD, HERE)
    token = scene.asked.api_tokens.create("ci", by=opened.principal, scopes=[Scope.ADMIN]).text

    scene.asked.users.disable("lee", by=ROOT)

    assert scene.asked.sign_in.by_cookie(opened.cookie) is None
    assert scene.asked.sign_in.by_token(token) is None
    with pytest.raises(NotPermitted):
        scene.asked.sign_in.by_password("lee", PASSWORD, HERE)
    scene.asked.users.enable("lee", by=ROOT)
    assert scene.asked.sign_in.by_cookie(opened.cookie) is None
    assert scene.asked.sign_in.by_password("lee", PASSWORD, HERE)


def test_the_last_admin_stays_one(scene: Scene) -> None:
    scene.asked.users.add("lee", Role.OPERATOR, PASSWORD, by=ROOT)

    with pytest.raises(Conflict, match="the last admin"):
        scene.asked.users.disable("kim", by=ROOT)
    with pytest.raises(Conflict, match="the last admin"):
        scene.asked.users.set_role("kim", Role.VIEWER, by=ROOT)

    assert scene.asked.users.get("kim").is_enabled
    assert scene.asked.users.get("kim").role is Role.ADMIN
    scene.asked.users.set_role("lee", Role.ADMIN, by=ROOT)
    assert not scene.asked.users.disable("kim", by=ROOT).is_enabled
    assert [what for _, what, _ in scene.audit()].count("users.disable") == 1


def test_another_role_or_password_means_to_sign_in_anew(scene: Scene) -> None:
    scene.asked.users.add("lee", Role.OPERATOR, PASSWORD, by=ROOT)
    first = scene.asked.sign_in.by_password("lee", PASSWORD, HERE)
    scene.asked.users.set_role("lee", Role.ADMIN, by=ROOT)
    second = scene.asked.sign_in.by_password("lee", PASSWORD, HERE)
    scene.asked.users.set_password("lee", "canary other 0815 words", by=ROOT)

    assert scene.asked.sign_in.by_cookie(first.cookie) is None
    assert scene.asked.sign_in.by_cookie(second.cookie) is None
    with pytest.raises(NotPermitted):
        scene.asked.sign_in.by_password("lee", PASSWORD, HERE)
    assert second.principal.role is Role.ADMIN


def test_to_sign_in_again_ends_the_session_that_the_browser_had(scene: Scene) -> None:
    first = scene.asked.sign_in.by_password("kim", PASSWORD, HERE)
    second = scene.asked.sign_in.by_password("kim", PASSWORD, HERE, instead_of=first.cookie)

    assert scene.asked.sign_in.by_cookie(first.cookie) is None
    assert scene.asked.sign_in.by_cookie(second.cookie) is not None
    assert scene.asked.sign_in.sign_out(second.cookie)
    assert not scene.asked.sign_in.sign_out(second.cookie)
    assert scene.asked.sign_in.by_cookie(second.cookie) is None


def test_a_link_lets_one_in_once_and_not_later_than_ten_minutes(scene: Scene) -> None:
    sign_in = scene.asked.sign_in
    code, late = (sign_in.make_code("root", Role.ADMIN, by=ROOT) for _ in range(2))

    opened = sign_in.by_code(code, HERE)
    with pytest.raises(NotPermitted, match="used already, or is too old"):
        sign_in.by_code(code, HERE)
    with pytest.raises(NotPermitted):
        sign_in.by_code("guessed", HERE)
    scene.clock.advance(seconds=CODE_LIFE.total_seconds())
    with pytest.raises(NotPermitted):
        sign_in.by_code(late, HERE)

    assert (opened.principal.name, opened.principal.means) == ("root", Means.LINK)
    assert opened.principal.user is None


def test_a_clock_that_is_set_back_prolongs_neither_a_link_nor_a_session(scene: Scene) -> None:
    sign_in = scene.asked.sign_in
    opened = sign_in.by_password("kim", PASSWORD, HERE)
    code = sign_in.make_code("root", Role.ADMIN, by=ROOT)

    scene.clock.jump(days=-30)

    assert sign_in.by_cookie(opened.cookie) is None
    with pytest.raises(NotPermitted):
        sign_in.by_code(code, HERE)


def test_that_a_session_is_used_is_written_once_a_minute_and_keeps_it_from_being_idle(scene: Scene) -> None:
    opened = scene.asked.sign_in.by_password("kim", PASSWORD, HERE)

    with statements() as said:
        for _ in range(5):
            assert scene.asked.sign_in.by_cookie(opened.cookie)
    scene.clock.advance(seconds=IDLE.total_seconds() - 1)
    scene.asked.sign_in.by_cookie(opened.cookie)
    scene.clock.advance(hours=1)

    assert not any("UPDATE" in statement for statement in said)
    assert scene.asked.sign_in.by_cookie(opened.cookie) is not None
    scene.clock.advance(seconds=IDLE.total_seconds())
    assert scene.asked.sign_in.by_cookie(opened.cookie) is None


def test_of_many_sessions_of_one_name_the_one_that_was_seen_first_ends(scene: Scene) -> None:
    def enter() -> str:
        scene.clock.advance(seconds=1)
        return scene.asked.sign_in.by_code(
            scene.asked.sign_in.make_code("kim", Role.ADMIN, by=ROOT), HERE
        ).cookie

    by_password = scene.asked.sign_in.by_password("kim", PASSWORD, HERE)
    cookies = [enter() for _ in range(MOST_SESSIONS + 1)]

    known = [scene.asked.sign_in.by_cookie(cookie) is not None for cookie in cookies]
    assert known == [False] + [True] * MOST_SESSIONS
    assert scene.asked.sign_in.by_cookie(by_password.cookie) is not None


def test_one_ends_ones_own_sessions_and_an_admin_anybodys(scene: Scene) -> None:
    scene.asked.users.add("lee", Role.VIEWER, PASSWORD, by=ROOT)
    kim, lee, again = (
        scene.asked.sign_in.by_password(name, PASSWORD, HERE) for name in ("kim", "lee", "lee")
    )

    with pytest.raises(NotFound):
        scene.asked.sign_in.end_session(int(kim.principal.key), by=lee.principal)
    with pytest.raises(NotFound):
        scene.asked.sign_in.end_session(int(lee.principal.key), by=Principal(name="lee", role=Role.VIEWER))
    scene.asked.sign_in.end_session(int(lee.principal.key), by=again.principal)
    scene.asked.sign_in.end_session(int(again.principal.key), by=kim.principal)

    assert [one.who for one in scene.asked.sign_in.sessions()] == ["kim"]


def test_a_token_is_for_its_scopes_until_it_expires_or_is_revoked(scene: Scene) -> None:
    kim = scene.asked.sign_in.by_password("kim", PASSWORD, HERE).principal
    made = scene.asked.api_tokens.create("ci", by=kim, scopes=[Scope.RUNS_TRIGGER], life=timedelta(days=2))
    other = scene.asked.api_tokens.create("all", by=kim, scopes=list(Scope))

    known = scene.asked.sign_in.by_token(made.text, address="192.0.2.9")
    assert known is not None
    assert (known.name, known.role) == ("kim", Role.OPERATOR)
    assert known.scopes == frozenset({Scope.RUNS_TRIGGER})
    assert (known.means, known.address) == (Means.TOKEN, "192.0.2.9")
    assert scene.asked.sign_in.by_token(made.text[:-1] + "A" * (made.text[-1] != "A")) is None
    assert scene.asked.sign_in.by_token(other.text.replace(other.token.id, made.token.id)) is None
    assert {one.name: one.used_at for one in scene.asked.api_tokens.list(of=kim)} == {
        "ci": scene.clock.now(),
        "all": None,
    }

    scene.asked.api_tokens.revoke(other.token.id, by=kim)
    assert scene.asked.sign_in.by_token(other.text) is None
    scene.clock.advance(days=2)
    assert scene.asked.sign_in.by_token(made.text) is None


def test_a_token_cannot_make_another_and_others_tokens_are_an_admins(scene: Scene) -> None:
    scene.asked.users.add("lee", Role.OPERATOR, PASSWORD, by=ROOT)
    lee = scene.asked.sign_in.by_password("lee", PASSWORD, HERE).principal
    kim = scene.asked.sign_in.by_password("kim", PASSWORD, HERE).principal
    kims = scene.asked.api_tokens.create("ci", by=kim, scopes=[Scope.ADMIN])
    token = scene.asked.sign_in.by_token(kims.text)
    assert token is not None

    with pytest.raises(NotPermitted, match="a token cannot make another"):
        scene.asked.api_tokens.create("more", by=token, scopes=[Scope.RUNS_READ])
    with pytest.raises(BadParameters, match="role operator cannot"):
        scene.asked.api_tokens.create("more", by=lee, scopes=[Scope.ADMIN])
    with pytest.raises(NotFound):
        scene.asked.api_tokens.revoke(kims.token.id, by=lee)
    with pytest.raises(NotFound):
        scene.asked.api_tokens.revoke(kims.token.id, by=replace(ROOT, name="kim", role=Role.OPERATOR))
    assert scene.asked.api_tokens.list(of=lee) == []
    assert scene.asked.api_tokens.revoke(kims.token.id, by=ROOT).name == "ci"


def test_a_password_that_was_hashed_with_less_is_hashed_anew_when_it_is_used(scene: Scene) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    with scene.database.write() as tx:
        tx.users.set_password("kim", weak)

    scene.asked.sign_in.by_password("kim", PASSWORD, HERE)

    with scene.database.read() as tx:
        now = tx.users.password_hash("kim")
    assert now is not None
    assert Passwords().is_of_today(now)
    assert Passwords().is_right(now, PASSWORD)


def test_refusals_are_in_the_audit_without_what_was_typed_as_a_name(scene: Scene) -> None:
    scene.asked.sign_in.note_failures("KIM", 4, HERE)
    scene.asked.sign_in.note_failures("canary-typed-in-the-wrong-field", 4, HERE)

    assert scene.audit()[1:] == [("kim", "sign_in.refused", ""), ("nobody", "sign_in.refused", "")]


def test_no_password_token_cookie_or_code_is_kept_or_told(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code, unused = (scene.asked.sign_in.make_code("root", Role.ADMIN, by=ROOT) for _ in range(2))
    entered = scene.asked.sign_in.by_code(code, HERE)
    opened = scene.asked.sign_in.by_password("kim", PASSWORD, HERE)
    token = scene.asked.api_tokens.create("ci", by=opened.principal, scopes=[Scope.ADMIN])
    scene.asked.sign_in.by_token(token.text)
    scene.asked.users.set_password("kim", PASSWORD + "-new", by=ROOT)
    with pytest.raises(NotPermitted) as refused:
        scene.asked.sign_in.by_password("kim", PASSWORD, HERE)
    entries = repr(scene.asked.audit.list(AuditFilter()))
    shown = repr(scene.asked.users.list()) + repr(scene.asked.api_tokens.list()) + str(refused.value)
    scene.database.close()

    canaries = [PASSWORD, code, unused, entered.cookie, opened.cookie, token.text.split("_", 2)[2]]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for canary in (*canaries, token.text):
        assert canary.encode() not in kept
        assert canary not in entries + shown + caplog.text
    assert b"kim" in kept
