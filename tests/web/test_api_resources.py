"""The resources of the API but runs: what is shown, page by page, and what is changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schedulerd.domain.audit import AuditFilter
from schedulerd.operations.schedule_shapes import schedule_shape
from schedulerd.operations.shapes import flow_shape
from schedulerd.store.database import Database
from tests.web.api_scene import SECRET, ApiScene


@pytest.fixture
def api(sqlite_database: Database, tmp_path: Path) -> Iterator[ApiScene]:
    with ApiScene(sqlite_database, tmp_path) as made:
        yield made


# -- flows --------------------------------------------------------------------------------------------------------


def test_a_flow_is_told_as_the_command_line_tells_it(api: ApiScene) -> None:
    answer = api.get("/flows/etl")

    details = api.asked.flows.get("etl")
    assert answer.status_code == 200
    assert answer.json() == flow_shape(details.flow, details.schedules.names)
    assert answer.json()["schedules"] == ["etl-evening", "etl-hook", "etl-morning"]


def test_flows_come_by_name_a_page_at_a_time_and_links_lead_on_and_back(api: ApiScene) -> None:
    first = api.get("/flows?limit=3")
    second = api.client.get(first.links["next"]["url"])
    back = api.client.get(second.links["prev"]["url"])

    assert [one["name"] for one in first.json()["items"]] == ["dump", "etl", "report-0"]
    assert (first.json()["prev_cursor"], "prev" in first.links) == (None, False)
    assert [one["name"] for one in second.json()["items"]] == ["report-1", "report-2", "report-3"]
    assert back.json()["items"] == first.json()["items"]
    assert api.get(f"/flows?limit=3&after={second.json()['next_cursor']}").json()["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tag=nightly", ["etl"]),
        ("tag=prod&tag=nightly", ["etl"]),
        ("q=REPORT+3", ["report-3"]),
        ("q=nothing-like-it", []),
    ],
)
def test_flows_are_narrowed_by_words_and_tags(api: ApiScene, query: str, names: list[str]) -> None:
    assert [one["name"] for one in api.get(f"/flows?{query}").json()["items"]] == names


def test_links_of_a_narrowed_list_stay_narrowed(api: ApiScene) -> None:
    page = api.get("/flows?tag=prod&limit=2&q=report")

    assert page.links["next"]["url"] == "/api/v1/flows?tag=prod&limit=2&q=report&after=report-1"


def test_a_page_cannot_be_asked_for_from_both_sides(api: ApiScene) -> None:
    answer = api.get("/flows?after=a&before=z")

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")


def test_a_flow_that_is_not_there_is_told_with_names_that_come_near(api: ApiScene) -> None:
    answer = api.get("/flows/elt")

    assert answer.status_code == 404
    assert "did you mean etl?" in answer.json()["detail"]


def test_a_parameter_with_a_typing_error_is_refused_with_the_name_that_was_meant(api: ApiScene) -> None:
    answer = api.get("/flows?limt=3")

    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/unknown-parameter"
    assert answer.json()["mend"] == "did you mean limit?"


def test_the_graph_names_what_each_task_needs(api: ApiScene) -> None:
    assert api.get("/flows/etl/graph").json()["tasks"] == [
        {"number": 0, "name": "extract", "upstream": []},
        {"number": 1, "name": "transform", "upstream": [0]},
        {"number": 2, "name": "load", "upstream": [1]},
    ]


def test_versions_and_schedules_of_a_flow_are_told(api: ApiScene) -> None:
    versions = api.get("/flows/etl/versions").json()["items"]
    schedules = api.get("/flows/etl/schedules").json()["items"]

    assert [(one["in_force"], one["runs"]) for one in versions] == [(True, 0)]
    assert schedules == [schedule_shape(one) for one in api.asked.flows.schedules("etl")]


# -- ETags --------------------------------------------------------------------------------------------------------


def test_what_is_known_already_does_not_come_again(api: ApiScene) -> None:
    etag = api.get("/flows/etl").headers["etag"]

    again = api.get("/flows/etl", If_None_Match=f'"other", W/{etag}')

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert api.get("/flows/etl", If_None_Match='"other"').status_code == 200


def test_a_schedule_that_was_paused_has_another_etag(api: ApiScene) -> None:
    before = api.get("/schedules/etl-morning").headers["etag"]

    api.post("/schedules/etl-morning/pause", {"reason": "moving"})

    assert api.get("/schedules/etl-morning", If_None_Match=before).status_code == 200


# -- schedules ----------------------------------------------------------------------------------------------------


def test_a_schedule_is_paused_with_a_reason_and_resumed(api: ApiScene) -> None:
    paused = api.post("/schedules/etl-morning/pause", {"reason": "the source is away"}).json()
    again = api.post("/schedules/etl-morning/pause")
    resumed = api.post("/schedules/etl-morning/resume").json()

    assert (paused["paused"]["reason"], paused["next_due"]) == ("the source is away", None)
    assert again.status_code == 409
    assert (resumed["paused"], resumed["next_due"]) == (None, "2026-11-22T06:01:00.000Z")


def test_a_schedule_shows_only_what_is_of_its_kind(api: ApiScene) -> None:
    found = {one["name"]: one for one in api.get("/schedules").json()["items"]}

    assert found["etl-hook"]["when"]["hook"] == "deploy"
    assert ("command" in found["etl-hook"], "flow" in found["dump"]) == (False, False)
    assert found["etl-evening"] == api.get("/schedules/etl-evening").json()


def test_an_expression_is_explained(api: ApiScene) -> None:
    asked = {"expression": "0 9 * * mon", "timezone": "Asia/Seoul", "limit": 1}

    answer = api.post("/cron/explain", asked)

    assert answer.json() == api.post("/schedules/preview", asked).json()
    assert [one["at"] for one in answer.json()["fires"]] == ["2026-11-23T00:00:00.000Z"]


# -- agents and the system ----------------------------------------------------------------------------------------


def test_an_agent_without_a_recent_sign_of_life_is_told_as_gone(api: ApiScene) -> None:
    found = {one["name"]: one["online"] for one in api.get("/agents").json()["items"]}

    assert found == {"host-1a2b": True, "gone": False}
    assert api.get("/agents/host-1a2b").json()["status"] == {"running": 2}
    assert api.get("/agents/host").json()["detail"] == "there is no agent 'host'; did you mean host-1a2b?"


def test_an_agent_is_drained_and_resumed_and_the_audit_says_so_once(api: ApiScene) -> None:
    drained = api.post("/agents/host-1a2b/drain", {"reason": "a new kernel"})
    again = api.post("/agents/host-1a2b/drain")
    resumed = api.post("/agents/host-1a2b/resume")

    told = drained.json()
    assert (told["state"], told["drain"]["by"], told["drain"]["reason"]) == (
        "draining",
        "admin",
        "a new kernel",
    )
    assert told["runs"] == []
    assert (again.status_code, resumed.json()["drain"]) == (409, None)
    assert resumed.json()["state"] == "other_version"
    entries = [one.change.what for one in api.asked.audit.list(AuditFilter()) if "agent" in one.change.what]
    assert entries == ["agents.resume", "agents.drain"]


def test_an_agent_that_is_gone_is_forgotten(api: ApiScene) -> None:
    statuses = [api.delete(f"/agents/{name}").status_code for name in ("gone", "gone", "host-1a2b")]

    assert statuses == [204, 404, 409]


def test_the_system_says_what_status_says(api: ApiScene) -> None:
    told = api.get("/system").json()

    assert (told["running"], told["ready"], told["flows"], told["schedules"]) == (False, False, 7, 4)
    assert told["runs"] == {"running": 0, "waiting": 0}


# -- variables ----------------------------------------------------------------------------------------------------


def test_a_variable_is_changed_by_who_has_seen_it(api: ApiScene) -> None:
    seen = api.get("/variables/region").headers["etag"]

    changed = api.put("/variables/region", {"value": ["kr", "jp"]}, If_Match=seen)
    late = api.put("/variables/region", {"value": "us"}, If_Match=seen)

    assert (changed.status_code, changed.json()["value"]) == (200, ["kr", "jp"])
    assert late.status_code == 412
    assert late.json()["detail"] == "the variable 'region' was changed meanwhile"
    assert api.get("/variables/region").headers["etag"] == changed.headers["etag"]


def test_a_new_variable_is_said_to_be_new(api: ApiScene) -> None:
    made = api.put("/variables/bucket", {"value": 5}, If_None_Match="*")
    again = api.put("/variables/bucket", {"value": 6}, If_None_Match="*")
    nowhere = api.put("/variables/other", {"value": 6}, If_Match="*")

    assert (made.status_code, again.status_code, nowhere.status_code) == (201, 412, 412)
    assert api.asked.variables.get("bucket").value == 5


def test_a_change_that_does_not_say_what_it_changes_is_refused(api: ApiScene) -> None:
    put = api.put("/variables/region", {"value": 1})
    deleted = api.delete("/variables/region")

    assert (put.status_code, deleted.status_code) == (428, 428)
    assert put.json()["type"] == "/problems/precondition-required"
    assert api.asked.variables.get("region").value == "kr"


def test_a_variable_is_removed_by_who_has_seen_it(api: ApiScene) -> None:
    assert api.delete("/variables/region", If_Match='"older"').status_code == 412
    seen = api.get("/variables/region").headers["etag"]

    assert api.delete("/variables/region", If_Match=seen).status_code == 204
    assert api.get("/variables/region").status_code == 404


def test_a_weak_etag_changes_nothing(api: ApiScene) -> None:
    seen = api.get("/variables/region").headers["etag"]

    assert api.delete("/variables/region", If_Match=f"W/{seen}").status_code == 412


@pytest.mark.parametrize(
    "body",
    [{"value": 1, "owner": "me"}, {}, {"value": "x" * 70_000}, {"value": 1, "tags": ["a"] * 51}],
    ids=["unknown member", "no value", "too large", "too many tags"],
)
def test_a_body_that_is_not_as_it_has_to_be_changes_nothing(api: ApiScene, body: dict[str, Any]) -> None:
    answer = api.put("/variables/region", body, If_Match="*")

    assert answer.status_code == 422
    assert api.asked.variables.get("region").value == "kr"


# -- secrets and limits -------------------------------------------------------------------------------------------


def test_a_secret_goes_in_and_never_comes_out(api: ApiScene) -> None:
    made = api.put("/secrets/other", {"value": SECRET})
    wrong = api.put("/secrets/other", {"value": SECRET, "valeu": SECRET})
    listed = api.get("/secrets")

    assert (made.status_code, wrong.status_code, listed.status_code) == (200, 422, 200)
    assert [one["name"] for one in listed.json()["items"]] == ["deploy-key", "other"]
    assert all(SECRET not in one.text for one in (made, wrong, listed))
    assert api.get("/secrets/other").status_code == 405


def test_a_secret_is_removed(api: ApiScene) -> None:
    assert api.delete("/secrets/deploy-key").status_code == 204
    assert api.delete("/secrets/deploy-key").status_code == 404


def test_limits_are_set_and_removed(api: ApiScene) -> None:
    made = api.put("/limits/api", {"slots": 10, "per_second": 2.5}).json()
    listed = [one["name"] for one in api.get("/limits").json()["items"]]

    assert (made["per_second"], made["taken"], listed) == (2.5, 0.0, ["api", "warehouse"])
    assert api.delete("/limits/api").status_code == 204
    assert api.put("/limits/api", {"slots": -1}).status_code == 422
