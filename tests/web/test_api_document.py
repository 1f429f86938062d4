"""The document of the API says what is the case: every route is in it, and what the running API answers is what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import ASGIClient, get_client
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from docs.api_page import the_document
from schedulerd.web.api_reference import groups_of, models_of
from schedulerd.web.openapi import operations_in
from schedulerd.web.problem_types import PROBLEM_TYPES
from tests.migrated import new_database
from tests.web.api_scene import SECRET, ApiScene

DOCUMENT = the_document()
OPERATIONS = {operation["operationId"]: (path, method) for method, path, operation in operations_in(DOCUMENT)}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 12
UNLIKE_OTHERS = {
    "call_webhook",
    "sign_in",
    "sign_out",
    "list_sessions",
    "end_session",
    "change_own_password",
    "create_token",
}
"""What has a secret of its own, or is for people, and not for the token that the others are asked with."""


def asked() -> Iterator[Any]:
    """Each operation with valid requests; and where something about them can be invalid, with such."""
    for name, (path, method) in sorted(OPERATIONS.items()):
        operation = DOCUMENT["paths"][path][method]
        yield pytest.param(name, GenerationMode.POSITIVE, id=f"{name}-valid")
        schemas = [one["schema"] for one in operation.get("parameters", ())]
        is_bound = any(schema.keys() - {"type", "title"} or schema["type"] != "string" for schema in schemas)
        if is_bound or "requestBody" in operation:
            yield pytest.param(name, GenerationMode.NEGATIVE, id=f"{name}-invalid")


class Fuzzed:
    """The API over a database of its own, and the schema that its requests are made by."""

    def __init__(self, scene: ApiScene, session: ASGIClient) -> None:
        self.scene = scene
        self.session = session
        self.headers = {"Authorization": f"Bearer {scene.token()}"}
        # Who asks is known: the gate has tests of its own.
        self.schema = schemathesis.openapi.from_dict(
            {name: part for name, part in DOCUMENT.items() if name != "security"}
        )


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    database = new_database(folder)
    scene = ApiScene(database, folder)
    app: Any = scene.app  # ASGI told by two libraries in two ways
    with scene, get_client(app) as session:
        yield Fuzzed(scene, session)
        with database.read() as tx:
            assert tx.broken_invariants() == []
    database.close()


@pytest.mark.parametrize(("name", "mode"), list(asked()))
def test_whatever_is_asked_the_answer_is_one_that_the_document_tells(
    fuzzed: Fuzzed, name: str, mode: GenerationMode
) -> None:
    path, method = OPERATIONS[name]
    operation = fuzzed.schema[path][method]
    cases = operation.as_strategy(generation_mode=mode)

    @given(case=cases)
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # the time is bounded: what fails is not made smaller
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url="http://localhost", session=fuzzed.session, headers=fuzzed.headers)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code not in (401, 403) or name in UNLIKE_OTHERS
        assert SECRET not in answer.text
        if answer.status_code >= 400:
            assert answer.json()["type"].removeprefix("/problems/") in PROBLEM_TYPES

    ask()


def test_every_route_of_the_api_is_in_the_document(fuzzed: Fuzzed) -> None:
    routes = {
        (method.lower(), route.path_format)
        for route in iter_route_contexts(fuzzed.scene.app.routes)
        for method in route.methods or ()
        if str(route.path_format).startswith("/api/v1/")
    }

    assert routes == {(method, path) for method, path, _ in operations_in(DOCUMENT)}


def test_the_document_is_the_one_that_the_server_gives(fuzzed: Fuzzed) -> None:
    answer = fuzzed.scene.get("/openapi.json")

    assert answer.json() == DOCUMENT


def test_operations_have_names_words_and_models_of_what_they_answer() -> None:
    for method, path, operation in operations_in(DOCUMENT):
        assert operation["description"], (method, path)
        assert operation["operationId"].replace("_", "").isalpha(), (method, path)
        assert operation["tags"][0] in {one["name"] for one in DOCUMENT["tags"]}, (method, path)


def test_examples_of_bodies_are_valid(fuzzed: Fuzzed) -> None:
    told = [one for group in groups_of(DOCUMENT) for one in group.operations if one.example]

    assert {"preview_schedule", "set_variable", "set_secret", "set_limit", "pause_schedule"} <= {
        one.id for one in told
    }
    for one in told:
        path = one.path.replace("{schedule}", "dump").replace("{name}", "example").replace("{agent}", "gone")
        answer = fuzzed.scene.client.request(
            one.method,
            path,
            content=one.example,
            headers={"Content-Type": "application/json", "If-None-Match": "*"},
        )
        assert answer.status_code in (200, 201, 202, 204, 409), (one.id, answer.text)


def test_the_page_of_the_api_tells_every_operation_and_model_without_scripts_of_its_own(
    fuzzed: Fuzzed,
) -> None:
    page = fuzzed.scene.client.get("/api/docs").text

    for _, path, operation in operations_in(DOCUMENT):
        assert f'id="{operation["operationId"]}"' in page
        assert path in page
    for model in models_of(DOCUMENT):
        assert f'id="{model.name}"' in page
    assert "https://" not in page
    assert "curl -X PUT http://localhost:8080/api/v1/variables/region" in page


@pytest.mark.parametrize("slug", sorted(PROBLEM_TYPES))
def test_every_kind_of_problem_has_a_page(fuzzed: Fuzzed, slug: str) -> None:
    page = fuzzed.scene.client.get(f"/problems/{slug}")

    assert page.status_code == 200
    assert slug in fuzzed.scene.client.get("/problems").text


def test_a_kind_of_problem_that_is_not_there_is_told_with_one_that_is(fuzzed: Fuzzed) -> None:
    page = fuzzed.scene.client.get("/problems/not-foun")

    assert page.status_code == 404
    assert "did you mean not-found?" in page.text
