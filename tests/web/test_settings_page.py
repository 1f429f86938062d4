"""Settings and activity: tokens, sessions, and who changed what."""

import re

from schedulerd.domain.access import Role
from tests.web.entering import cookie_for
from tests.web.page_scene import PageScene, Reader


def test_a_token_is_shown_once_and_revoked(scene: PageScene, reader: Reader) -> None:
    made = reader._client.post(
        "/settings/tokens", data={"name": "ci", "scope": ["runs:read", "runs:trigger"], "days": "30"}
    )
    token = re.search(r"<pre[^>]*>(sdt_([0-9a-f]+)_[^<]+)</pre>", made.text)
    assert token
    listed = reader.get("/settings").text
    none = reader.post("/settings/tokens", name="ci")
    revoked = reader.post(f"/settings/tokens/{token[2]}/revoke")

    assert scene.operations.sign_in.by_token(token[1]) is None
    assert token[1] not in listed
    assert token[2] in listed
    assert none.status_code == 422
    assert (revoked.status_code, revoked.headers["location"]) == (303, "/settings")


def test_another_ones_session_cannot_be_ended(scene: PageScene, reader: Reader) -> None:
    cookie_for(scene.operations, Role.VIEWER, "jisoo")
    sessions = {one.who: one.key for one in scene.operations.sign_in.sessions()}

    others = reader.post(f"/settings/sessions/{sessions['jisoo']}/end")
    own = reader.post(f"/settings/sessions/{sessions['minji']}/end")

    assert (others.status_code, own.status_code) == (404, 303)
    assert [one.who for one in scene.operations.sign_in.sessions()] == ["jisoo"]


def test_what_was_changed_is_told_to_admins_only(scene: PageScene, reader: Reader) -> None:
    reader.post("/schedules/etl-morning/pause", reason="moving house")
    refused = reader.get("/activity")
    with scene.client(Role.ADMIN) as admin:
        page = admin.see("/activity")

    assert refused.status_code == 403
    assert "etl-morning" in page.text
    assert "minji" in page.text
