"""Routes that are made whole when somebody asks for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from schedulerd.domain.access import Role
from schedulerd.store.database import Database
from schedulerd.web.late_routes import LateRoute
from schedulerd.web.routers import page_router
from tests.web.entering import House


@pytest.fixture
def house(sqlite_database: Database, tmp_path: Path) -> Iterator[House]:
    with House(sqlite_database, tmp_path) as made:
        yield made


@pytest.fixture
def route() -> LateRoute:
    router = page_router()

    @router.post("/things/{name}", status_code=204)
    def change(name: str, more: int = 0) -> None:
        raise AssertionError(name, more)

    (made,) = router.routes
    assert isinstance(made, LateRoute)
    return made


@pytest.fixture
def client(route: LateRoute) -> TestClient:
    return TestClient(FastAPI(routes=[route]))


def whole(app: FastAPI) -> list[str]:
    routes = [route for route in app.routes if isinstance(route, LateRoute)]
    assert len(routes) == len(app.routes)
    return [f"{method} {route.path}" for route in routes if route.is_whole for method in route.methods or ()]


def test_an_application_begins_with_no_route_whole_and_a_request_makes_its_own(house: House) -> None:
    assert whole(house.app) == []

    assert house.stranger().get("/login").status_code == 200

    assert whole(house.app) == ["GET /login"]


def test_the_document_makes_all_of_them_whole(house: House) -> None:
    assert house.guest(Role.VIEWER).get("/api/v1/openapi.json").status_code == 200

    assert len(whole(house.app)) == len(house.app.routes)


def test_what_a_route_was_told_is_told_on(house: House) -> None:
    routes = [route for route in house.app.routes if isinstance(route, LateRoute)]
    route = next(one for one in routes if one.path.startswith("/api/v1/users/{") and one.methods == {"GET"})

    assert route.tags == ["access"]
    assert route.operation_id == "get_user"
    assert [one.name for one in route.dependant.path_params] == ["name"]
    assert route.is_whole


def test_a_route_is_found_by_its_path_and_method_before_it_is_whole(
    client: TestClient, route: LateRoute
) -> None:
    assert client.get("/things/x").status_code == 405
    assert client.post("/thing/x").status_code == 404
    assert route.url_path_for("change", name="x") == "/things/x"
    assert not route.is_whole

    assert client.post("/things/x?more=1").status_code == 403  # the gate did not let it through

    assert route.is_whole
