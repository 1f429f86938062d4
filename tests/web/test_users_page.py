"""Users on pages, for admins."""

from collections.abc import Iterator

import pytest

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.audit import AuditFilter
from schedulerd.errors import NotPermitted
from schedulerd.operations.sign_in import From
from tests.web.page_scene import PageScene, Reader

ROOT = Principal(name="root", role=Role.ADMIN)
PASSWORD = "four horses of a kind"
OTHER = "a kettle under moss"
HERE = "/settings/users"


@pytest.fixture
def admin(scene: PageScene) -> Iterator[Reader]:
    """Somebody who came by a link, and is no user."""
    with scene.client(Role.ADMIN) as reader:
        yield reader


def told(scene: PageScene) -> list[tuple[str, str, str]]:
    """What the audit has of users, the newest first."""
    entries = scene.operations.audit.list(AuditFilter())
    return [(one.who, one.change.what, one.change.target) for one in entries if "users" in one.change.what]


def come_in(scene: PageScene, name: str, password: str) -> str:
    """The cookie of a user who signs in."""
    return scene.operations.sign_in.by_password(name, password, From()).cookie


def may_come_in(scene: PageScene, name: str, password: str) -> bool:
    try:
        return bool(come_in(scene, name, password))
    except NotPermitted:
        return False


def test_a_user_is_added_with_a_role_and_a_password_that_is_shown_nowhere(
    scene: PageScene, admin: Reader
) -> None:
    made = admin.post(HERE, name="Kim", role="operator", password=PASSWORD)

    assert (made.status_code, made.headers["location"]) == (303, f"{HERE}/kim")
    assert scene.operations.users.get("kim").role is Role.OPERATOR
    assert may_come_in(scene, "kim", PASSWORD)
    assert told(scene) == [("minji", "users.add", "kim")]
    pages = [admin.get(path).text for path in (HERE, f"{HERE}/kim", "/activity")]
    assert [page for page in pages if PASSWORD in page] == []
    assert "kim" in pages[0]


@pytest.mark.parametrize(
    ("name", "password", "status", "why"),
    [
        ("lee", "short", 422, "needs at least 12"),
        ("a b", PASSWORD, 422, "cannot be the name of a user"),
        ("KIM", PASSWORD, 409, "there is a user &#39;kim&#39; already"),
    ],
)
def test_who_cannot_be_a_user_is_told_why_and_types_the_rest_once(
    scene: PageScene, admin: Reader, name: str, password: str, status: int, why: str
) -> None:
    scene.operations.users.add("kim", Role.VIEWER, PASSWORD, by=ROOT)

    refused = admin.post(HERE, name=name, role="operator", password=password)

    assert refused.status_code == status
    assert why in refused.text
    assert f'value="{name}"' in refused.text
    assert 'value="operator" checked' in refused.text
    assert f'value="{password}"' not in refused.text
    assert [one.name for one in scene.operations.users.list()] == ["kim"]


def test_a_role_and_a_password_are_changed_and_one_has_to_sign_in_anew(
    scene: PageScene, admin: Reader
) -> None:
    scene.operations.users.add("kim", Role.VIEWER, PASSWORD, by=ROOT)
    cookies = [come_in(scene, "kim", PASSWORD)]

    role = admin.post(f"{HERE}/kim/role", role="admin")
    cookies.append(come_in(scene, "kim", PASSWORD))
    weak = admin.post(f"{HERE}/kim/password", password="kim123456789")
    password = admin.post(f"{HERE}/kim/password", password=OTHER)

    assert [one.status_code for one in (role, weak, password)] == [303, 422, 303]
    assert "one of those that are tried first" in weak.text
    assert [scene.operations.sign_in.by_cookie(cookie) for cookie in cookies] == [None, None]
    assert scene.operations.users.get("kim").role is Role.ADMIN
    assert (may_come_in(scene, "kim", PASSWORD), may_come_in(scene, "kim", OTHER)) == (False, True)
    assert [what for _, what, _ in told(scene)] == ["users.password", "users.role", "users.add"]


def test_a_user_is_locked_and_unlocked_and_deleted_with_sessions_and_tokens(
    scene: PageScene, admin: Reader
) -> None:
    asked = scene.operations
    asked.users.add("kim", Role.VIEWER, PASSWORD, by=ROOT)
    cookie = come_in(scene, "kim", PASSWORD)
    kim = asked.sign_in.by_cookie(cookie)
    assert kim is not None
    token = asked.api_tokens.create("ci", by=kim, scopes=["runs:read"]).text  # type: ignore[list-item]

    before = admin.see(f"{HERE}/kim").text
    assert admin.post(f"{HERE}/kim/lock").status_code == 303
    locked = (
        asked.sign_in.by_cookie(cookie),
        asked.sign_in.by_token(token),
        may_come_in(scene, "kim", PASSWORD),
    )
    assert admin.post(f"{HERE}/kim/unlock").status_code == 303
    unlocked = (asked.sign_in.by_token(token) is not None, may_come_in(scene, "kim", PASSWORD))
    gone = admin.post(f"{HERE}/kim/delete")
    asked.users.add("kim", Role.ADMIN, PASSWORD, by=ROOT)  # somebody else of that name

    assert "1 browser" in before
    assert (locked, unlocked) == ((None, None, False), (True, True))
    assert (gone.status_code, gone.headers["location"]) == (303, HERE)
    assert asked.sign_in.by_token(token) is None
    assert asked.sign_in.sessions(of=kim) == []
    assert [what for _, what, _ in told(scene)][1:4] == ["users.remove", "users.enable", "users.disable"]


@pytest.mark.parametrize(
    ("deed", "fields"), [("lock", {}), ("delete", {}), ("role", {"role": "viewer"})], ids=str
)
def test_the_last_admin_stays_and_one_is_told_so(
    scene: PageScene, admin: Reader, deed: str, fields: dict[str, str]
) -> None:
    scene.operations.users.add("kim", Role.ADMIN, PASSWORD, by=ROOT)
    scene.operations.users.add("lee", Role.OPERATOR, PASSWORD, by=ROOT)

    refused = admin.post(f"{HERE}/kim/{deed}", **fields)

    kim = scene.operations.users.get("kim")
    assert refused.status_code == 409
    assert "is the last admin" in refused.text
    assert (kim.role, kim.is_enabled) == (Role.ADMIN, True)
    assert [what for _, what, _ in told(scene)] == ["users.add", "users.add"]


def test_who_is_no_admin_sees_no_users_and_nobody_is_nobody(scene: PageScene, admin: Reader) -> None:
    with scene.client(Role.OPERATOR) as operator:
        seen = [operator.get(HERE).status_code, operator.post(HERE, name="x").status_code]
        links = HERE in operator.get("/settings").text

    assert (seen, links) == ([403, 403], False)
    assert HERE in admin.get("/settings").text
    assert [admin.get(f"{HERE}/nobody").status_code, admin.post(f"{HERE}/nobody/lock").status_code] == [
        404,
        404,
    ]
