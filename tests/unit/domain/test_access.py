"""Roles, scopes, names, passwords, and how long somebody stays signed in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schedulerd.domain.access import ROLE_OF, Principal, Role, Scope, role_of, scopes_of
from schedulerd.domain.api_tokens import (
    LONGEST_LIFE,
    ApiToken,
    TokenParts,
    check_life,
    check_scopes,
    check_token_name,
    parse_token,
)
from schedulerd.domain.sessions import AHEAD, CODE_LIFE, IDLE, LONGEST, Session, SignInCode, is_seen_anew
from schedulerd.domain.users import LONGEST_PASSWORD, SHORTEST_PASSWORD, check_password, user_name
from schedulerd.errors import BadParameters
from tests.builders import A_SECOND, NOW

SESSION = Session(
    key=1, who="kim", role=Role.VIEWER, user="kim", created_at=NOW, seen_at=NOW, agent="", address=""
)
TOKEN = ApiToken(
    id="0123456789ab",
    name="ci",
    owner="kim",
    user="kim",
    role=Role.OPERATOR,
    scopes=frozenset({Scope.RUNS_TRIGGER}),
    created_at=NOW,
    expires_at=NOW + timedelta(days=1),
)


def test_every_scope_is_for_a_role_and_a_role_may_what_lesser_ones_may() -> None:
    assert ROLE_OF.keys() == set(Scope)
    assert scopes_of(Role.VIEWER) < scopes_of(Role.OPERATOR) < scopes_of(Role.ADMIN) == set(Scope)
    assert [role_of(scopes_of(role)) for role in Role] == list(Role)
    assert role_of([]) is Role.VIEWER


def test_a_token_is_for_its_scopes_and_one_for_admins_is_for_everything() -> None:
    anybody = Principal(name="kim", role=Role.VIEWER)
    token = replace(anybody, scopes=frozenset({Scope.RUNS_READ}))

    assert all(anybody.is_for(scope) for scope in Scope)
    assert [scope for scope in Scope if token.is_for(scope)] == [Scope.RUNS_READ]
    assert all(replace(token, scopes=frozenset({Scope.ADMIN})).is_for(scope) for scope in Scope)
    assert not any(replace(token, scopes=frozenset()).is_for(scope) for scope in Scope)


def test_an_account_of_the_machine_is_not_the_user_of_its_name() -> None:
    user = Principal(name="kim", role=Role.VIEWER, user="kim")

    assert user.is_same("kim", "kim")
    assert not user.is_same("kim", None)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "0 characters"),
        ("x7#kQ2m!pL9", "11 characters"),
        ("한글암호열한글자입니다", "11 characters"),
        ("a" * (LONGEST_PASSWORD + 1), "more than 1,024"),
        ("aaaaaaaaaaaaaa", "fewer than 5"),
        ("abababababab", "fewer than 5"),
        ("correct\nhorse\nbattery", "control characters"),
        ("changeme-now1", "tried first"),
        ("changeme12345", "tried first"),
        ("ChangeMe!!2026", "tried first"),
        ("Password1234!", "tried first"),
        ("passw0rd-passw0rd", "tried first"),
        ("schedulerd-admin", "tried first"),
        ("admin-admin-admin", "tried first"),
        ("kim.lee@2026!", "tried first"),
        ("abcdefghijklmn", "tried first"),
        ("qwertyuiopasdf", "tried first"),
        ("zyxwvutsrqpo", "tried first"),
        ("198704121234", "a number"),
        ("correct horse battery staple", None),
        ("하나 둘셋 넷다섯 여섯일곱", None),
        ("xq7m-pc2v-9rtk", None),
    ],
)  # fmt: skip
def test_a_password_that_would_be_guessed_is_refused(password: str, reason: str | None) -> None:
    if reason is None:
        assert check_password(password, user="kim.lee") == password
        return
    with pytest.raises(BadParameters, match=reason) as caught:
        check_password(password, user="kim.lee")
    assert password not in caught.value.message or len(password) < SHORTEST_PASSWORD
    assert caught.value.mend


def test_one_letter_that_is_spelled_in_two_ways_is_one_letter() -> None:
    assert check_password("pa\u0302te brise\u0301e au four", user="kim") == "p\u00e2te bris\u00e9e au four"
    assert user_name(" KIM ") == user_name("kim") == "kim"


@pytest.mark.parametrize("name", ["", "a b", "-kim", "../kim", "kim/lee", "x" * 65, "kim\n", "kim\x00"])
def test_what_cannot_be_a_name_of_a_user_is_refused(name: str) -> None:
    if name == "kim\n":
        assert user_name(name) == "kim"
        return
    with pytest.raises(BadParameters, match="name of a user"):
        user_name(name)


@pytest.mark.parametrize(
    ("created", "seen", "is_over"),
    [
        (timedelta(), timedelta(), False),
        (IDLE - A_SECOND, IDLE - A_SECOND, False),
        (IDLE, IDLE, True),
        (LONGEST - A_SECOND, timedelta(), False),
        (LONGEST, timedelta(), True),
        (-AHEAD, -AHEAD, False),
        (timedelta(hours=1), -AHEAD - A_SECOND, True),
        (-timedelta(days=400), -timedelta(days=400), True),
    ],
)
def test_a_session_ends_when_it_is_idle_or_old_and_when_the_clock_was_set_back(
    created: timedelta, seen: timedelta, is_over: bool
) -> None:
    session = replace(SESSION, created_at=NOW - created, seen_at=NOW - seen)

    assert session.is_over(NOW) is is_over


def test_a_code_and_a_token_end_as_well() -> None:
    code = SignInCode(who="root", role=Role.ADMIN, made_at=NOW)

    assert [code.is_over(NOW + later) for later in (CODE_LIFE - A_SECOND, CODE_LIFE)] == [False, True]
    assert code.is_over(NOW - timedelta(hours=1))
    assert [TOKEN.is_over(NOW + timedelta(days=days)) for days in (0, 1, -1)] == [False, True, True]


def test_when_something_was_used_is_written_once_a_minute_at_most() -> None:
    moments = [None, NOW, NOW - timedelta(seconds=59), NOW - timedelta(minutes=1), NOW + timedelta(hours=1)]

    assert [is_seen_anew(moment, NOW) for moment in moments] == [True, False, False, True, True]


def test_a_token_is_read_as_it_is_written_and_nothing_else_is_one() -> None:
    parts = TokenParts("0123456789ab", "-_" + "x" * 41)

    assert parse_token(str(parts)) == parts
    for other in ("", "sdt_", f"{parts}x", f"{parts}\n", str(parts)[4:], str(parts).upper(), "sdt_1_2"):
        assert parse_token(other) is None


def test_a_token_can_be_for_no_more_than_its_owner_may() -> None:
    assert check_scopes(scopes_of(Role.OPERATOR), role=Role.OPERATOR) == scopes_of(Role.OPERATOR)
    with pytest.raises(BadParameters, match="is for something: flows:read, "):
        check_scopes([], role=Role.ADMIN)
    with pytest.raises(BadParameters, match="the role viewer cannot have a token for runs:cancel"):
        check_scopes([Scope.RUNS_CANCEL, Scope.RUNS_READ], role=Role.VIEWER)
    assert replace(TOKEN, role=Role.VIEWER).allowed == frozenset()
    assert TOKEN.allowed_role is Role.OPERATOR


@pytest.mark.parametrize("life", [timedelta(), -A_SECOND, LONGEST_LIFE + A_SECOND])
def test_no_token_lasts_for_ever(life: timedelta) -> None:
    with pytest.raises(BadParameters, match="at most 366 days"):
        check_life(life)
    assert check_life(LONGEST_LIFE) == LONGEST_LIFE


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
def test_a_token_has_a_name_that_can_be_read(name: str) -> None:
    with pytest.raises(BadParameters, match="name of a token"):
        check_token_name(name)
    assert check_token_name(" ci ") == "ci"
