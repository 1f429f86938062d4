"""The audit: who changed what, from where, and field by field what was and is; whatever edge it was changed by."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.access import Role
from schedulerd.domain.audit import AuditEntry, AuditFilter, Change, differences
from schedulerd.operations.definition_notes import told_keys
from schedulerd.store.database import Database
from tests.web.api_scene import SECRET
from tests.web.editor_scene import EditorScene, Visitor
from tests.web.entering import ROOT

AT = "/api/v1"
KEYS = {"name": "etl", "flow": "etl", "cron": "0 6 * * *", "parameters": {"region": "kr"}}
FLOW = "from schedulerd import flow\n\n\n@flow\ndef fresh():\n    pass\n"


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> EditorScene:
    return EditorScene(sqlite_database, tmp_path)


@pytest.fixture
def admin(scene: EditorScene) -> Iterator[Visitor]:
    with scene.client(Role.ADMIN) as visitor:
        yield visitor


def entries(scene: EditorScene) -> list[AuditEntry]:
    """What was changed since the sign-in, the oldest first."""
    found = scene.operations.audit.list(AuditFilter(limit=500))
    return [one for one in reversed(found) if not one.change.what.startswith("sign_in")]


def told(scene: EditorScene) -> list[tuple[str, str, dict[str, tuple[Any, Any]]]]:
    return [
        (
            one.change.what,
            one.change.target,
            {each.field: (each.before, each.after) for each in differences(one.change)},
        )
        for one in entries(scene)
    ]


def test_a_schedule_that_is_made_changed_paused_and_deleted_is_told_field_by_field(
    scene: EditorScene, admin: Visitor
) -> None:
    client, one = admin.client, f"{AT}/schedules/etl"
    made = client.post(f"{AT}/schedules", json=KEYS)
    scene.read()
    body = {"cron": "30 7 * * *", "parameters": {"region": "us"}, "jitter": "5m"}
    changed = client.patch(one, json=body, headers={"If-Match": made.headers["etag"]})
    scene.read()
    client.post(f"{one}/pause", json={"reason": "rebuilt"})
    admin.post("/schedules/etl/resume")
    client.delete(one, headers={"If-Match": changed.headers["etag"]})

    assert told(scene) == [
        (
            "schedules.create",
            "etl",
            {
                "name": (None, "etl"),
                "flow": (None, "etl"),
                "cron": (None, "0 6 * * *"),
                "parameters": (None, {"region": "kr"}),
            },
        ),
        (
            "schedules.change",
            "etl",
            {
                "cron": ("0 6 * * *", "30 7 * * *"),
                "parameters.region": ("kr", "us"),
                "jitter": (None, "5m"),
            },
        ),
        (
            "schedules.pause",
            "etl",
            {"paused": (False, True), "reason": (None, "rebuilt"), "by": (None, "admin (api)")},
        ),
        (
            "schedules.resume",
            "etl",
            {"paused": (True, False), "reason": ("rebuilt", None), "by": ("admin (api)", None)},
        ),
        (
            "schedules.delete",
            "etl",
            {
                "name": ("etl", None),
                "flow": ("etl", None),
                "cron": ("30 7 * * *", None),
                "parameters": ({"region": "us"}, None),
                "jitter": ("5m", None),
            },
        ),
    ]
    assert {(entry.who, entry.address) for entry in entries(scene)} == {("admin", "192.0.2.1")}


def test_what_is_refused_stale_previewed_or_done_before_is_no_change(
    scene: EditorScene, admin: Visitor
) -> None:
    client = admin.client
    client.post(f"{AT}/schedules", json=KEYS)
    scene.read()
    before = len(entries(scene))

    client.post(f"{AT}/schedules", json=KEYS)
    client.post(f"{AT}/schedules", json={**KEYS, "cron": "61 * * * *"})
    client.patch(f"{AT}/schedules/etl", json={"cron": "1 * * * *"}, headers={"If-Match": '"old"'})
    admin.post("/schedules/preview", name="x", flow="etl", kind="cron", cron="0 6 * * *")
    admin.post("/flows/new/crontab", crontab="0 1 * * * true", prefix="c")
    admin.post("/flows/new/file", name="x.py", text="syntax error", etag="")
    client.post(f"{AT}/schedules/preview", json={"expression": "0 6 * * *"})

    assert len(entries(scene)) == before


def test_a_flow_file_is_told_by_what_it_is_recognised_by(scene: EditorScene, admin: Visitor) -> None:
    admin.post("/flows/new/file", name="fresh.py", text=FLOW, etag="")

    ((what, target, changes),) = told(scene)

    assert (what, target) == ("flows.file", "fresh.py")
    assert changes["lines"] == (None, 6)
    assert len(changes["sha256"][1]) == 64


def test_variables_limits_and_users_are_told_with_what_was_and_is(scene: EditorScene, admin: Visitor) -> None:
    client = admin.client
    made = client.put(f"{AT}/variables/region", json={"value": {"a": 1}}, headers={"If-None-Match": "*"})
    client.put(f"{AT}/variables/region", json={"value": {"a": 2}}, headers={"If-Match": made.headers["etag"]})
    client.put(f"{AT}/limits/warehouse", json={"slots": 3})
    client.put(f"{AT}/limits/warehouse", json={"slots": 5})
    client.delete(f"{AT}/limits/warehouse")
    client.post(f"{AT}/users", json={"name": "lee", "role": "viewer", "password": "a long enough phrase"})
    client.patch(f"{AT}/users/lee", json={"role": "operator"})
    client.patch(f"{AT}/users/lee", json={"enabled": False})

    changes = [(what, change) for what, _, change in told(scene)]

    assert changes[1:] == [
        ("variables.set", {"value.a": (1, 2)}),
        ("limits.set", {"slots": (None, 3)}),
        ("limits.set", {"slots": (3, 5)}),
        ("limits.delete", {"slots": (5, None)}),
        ("users.add", {"role": (None, "viewer")}),
        ("users.role", {"role": ("viewer", "operator")}),
        ("users.disable", {"enabled": (True, False)}),
    ]


def test_a_run_that_was_asked_for_is_told_with_its_parameters_and_once(
    scene: EditorScene, admin: Visitor
) -> None:
    for _ in range(2):
        admin.client.post(
            f"{AT}/flows/etl/runs", json={"parameters": {"region": "kr"}}, headers={"Idempotency-Key": "k"}
        )
    admin.client.post(f"{AT}/runs/etl:1/cancel", json={"reason": "wrong"})

    (start, *_) = told(scene)

    assert start == ("runs.start", "etl", {"run": (None, "etl#1"), "parameters": (None, {"region": "kr"})})
    assert [what for what, *_ in told(scene)].count("runs.start") == 1


def test_each_run_that_many_ask_for_at_once_is_told_and_none_that_was_refused(
    scene: EditorScene, admin: Visitor
) -> None:
    def ask(number: int) -> int:
        flow = "etl" if number % 5 else "nothing"
        return admin.client.post(f"{AT}/flows/{flow}/runs", json={"parameters": {"region": "kr"}}).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = Counter(threads.map(ask, range(40)))

    assert answers == {201: 32, 404: 8}
    asked_for = {change["run"][1] for what, _, change in told(scene) if what == "runs.start"}
    assert asked_for == {f"etl#{number}" for number in range(1, 33)}


def test_a_secret_is_told_to_have_been_changed_and_never_what_it_is(
    scene: EditorScene, admin: Visitor, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()  # the key is kept there
    admin.client.put(f"{AT}/secrets/key", json={"value": SECRET})
    scene.clock.advance(seconds=60)
    admin.client.put(f"{AT}/secrets/key", json={"value": f"{SECRET}2"})
    admin.client.delete(f"{AT}/secrets/key")
    admin.client.post(
        f"{AT}/schedules",
        json={
            "name": "dump",
            "command": "pg_dump",
            "cron": "@daily",
            "environment": {"PGPASSWORD": SECRET},
            "stdin": SECRET,
        },
    )

    shown = [admin.client.get(path).text for path in ("/activity", f"{AT}/audit")]

    assert [what for what, *_ in told(scene)] == [
        "secrets.set",
        "secrets.set",
        "secrets.delete",
        "schedules.create",
    ]
    assert not any(SECRET in text for text in (*shown, repr(entries(scene))))
    assert all("PGPASSWORD" in text for text in shown)


@pytest.mark.parametrize(
    ("was", "now", "told_now"),
    [
        (None, {"A": "x"}, {"A": "***"}),
        ({"A": "x"}, {"A": "x"}, {"A": "***"}),
        ({"A": "x"}, {"A": "y"}, {"A": "*** (another)"}),
        ({"A": "x"}, {"A": "x", "B": "z"}, {"A": "***", "B": "***"}),
    ],
)
def test_that_a_variable_of_the_environment_is_another_is_seen_and_not_what_it_is(
    was: Mapping[str, str] | None, now: Mapping[str, str], told_now: Mapping[str, str]
) -> None:
    before = None if was is None else {"environment": was}

    assert told_keys({"environment": now}, was=before) == {"environment": told_now}
    assert told_keys({"heartbeat": "https://hc.example/uuid"}) == {"heartbeat": "***"}
    assert told_keys({"stdin": "a password"}, was={"stdin": "another"}) == {"stdin": "*** (another)"}


def test_only_what_differs_is_a_difference() -> None:
    change = Change(
        what="x",
        before={"same": 1, "gone": 3, "none": None, "deep": {"a": [1], "b": 2}},
        after={"same": 1, "deep": {"a": [2], "b": 2}},
    )

    assert [(one.field, one.before, one.after) for one in differences(change)] == [
        ("gone", 3, None),
        ("deep.a", [1], [2]),
    ]


def test_the_page_and_the_api_show_what_differs(scene: EditorScene, admin: Visitor) -> None:
    scene.operations.variables.set("region", "kr", by=ROOT)
    scene.operations.variables.set("region", "us", by=ROOT)

    page = admin.client.get("/activity?who=root").text
    (newest, *_) = admin.client.get(f"{AT}/audit", params={"who": "root", "limit": 1}).json()["items"]

    assert "<del>kr</del> → <ins>us</ins>" in page
    assert newest["changes"] == [{"field": "value", "before": "kr", "after": "us"}]


def test_without_the_database_a_saved_schedule_is_saved_and_the_log_tells_of_it(
    scene: EditorScene, caplog: pytest.LogCaptureFixture
) -> None:
    from schedulerd.operations.audit import keep_saved

    scene.database.close()
    away = Database(f"sqlite:///{scene.flows}/nowhere/x.db")

    keep_saved(away, ROOT, Change(what="schedules.create", target="etl"), at=scene.clock.now())

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "audit_failed"
    ]
