"""Errors of imports and tracebacks quote code, and values are code where they are pickles: who sees them, and who opens them."""

import ast
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.routing import iter_route_contexts

from schedulerd.domain.access import ROLE_OF, Role, Scope
from schedulerd.domain.failures import Failure
from schedulerd.domain.results import OF_FLOW, Result, ResultKind
from schedulerd.domain.runs import Run
from schedulerd.domain.states import RunState, TaskState
from schedulerd.domain.tasks import TaskRun
from tests.builders import NOW, a_file, a_flow
from tests.store.scenes import add, an_intake, claim, move
from tests.web.entering import ROOT, House

CODE: Final = "canary_line = open('/srv/4711')"
_FAILURE: Final = Failure(
    type="NameError", message="name 'x' is not defined", file="flows/etl.py", line=4, traceback=f"  {CODE}"
)


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("marks") / "opened"


@pytest.fixture(scope="module")
def run(house: House, mark: Path) -> Run:
    """A run that failed in the code, of a flow whose file has one that does not load beside it, and that returned a pickle."""
    with house.database.write() as tx:
        (flow,) = tx.flows.put_file(a_file(a_flow(), source=f"{CODE}\n"), now=NOW)
        tx.flows.set_file_error("flows/broken.py", replace(_FAILURE, message=f"SyntaxError: {CODE}"), now=NOW)
        add(tx, flow)
        (run,) = claim(tx)
        move(tx, run.key, RunState.RUNNING)
        task = TaskRun(
            number=1, name="load", state=TaskState.FAILED, started_at=NOW, ended_at=NOW, failure=_FAILURE
        )
        value = Result(kind=ResultKind.PICKLE, call=OF_FLOW, content=pickle.dumps(Bomb(mark)))
        tx.intake.take(
            [
                replace(
                    an_intake(run.key, moves=(), tasks=(task,), lines=()),
                    results=(value,),
                    result_kept=ResultKind.PICKLE,
                )
            ]
        )
        move(tx, run.key, RunState.FAILED, failure=_FAILURE)
        return tx.runs.by_key(run.key)


def addresses(house: House, run: Run) -> Iterator[str]:
    parts = {"flow": "etl", "run": str(run.id), "number": "1"}
    for route in iter_route_contexts(house.app.routes):
        path = route.path_format or ""
        if "GET" in (route.methods or ()) and path not in ("/events", "/static/{version}/{name}"):
            yield re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], "x"), path)


def test_import_errors_and_tracebacks_are_shown_to_those_alone_who_may_see_code(
    house: House, run: Run
) -> None:
    shown: dict[Scope, set[str]] = {}
    for scope in sorted(Scope):
        token = house.asked.api_tokens.create("ci", by=ROOT, scopes=[scope]).text
        stranger = house.stranger()
        shown[scope] = {
            address
            for address in addresses(house, run)
            if "canary_line" in stranger.get(address, headers={"Authorization": f"Bearer {token}"}).text
        }

    assert {"/flows", "/flows/etl/versions"} <= shown[Scope.FLOWS_READ] <= shown[Scope.ADMIN]
    assert {f"/runs/{run.id}", f"/api/v1/runs/{run.id}", "/api/v1/runs", "/api/v1/system"} <= shown[
        Scope.ADMIN
    ]
    blind = [scope for scope in Scope if scope not in (Scope.FLOWS_READ, Scope.LOGS_READ, Scope.ADMIN)]
    assert [scope for scope in blind if shown[scope]] == []


def test_what_a_token_of_a_scope_sees_is_what_its_role_sees_and_no_more(house: House, run: Run) -> None:
    for scope in Scope:
        token = house.asked.api_tokens.create("ci", by=ROOT, scopes=[scope]).text
        guest, headers = house.guest(ROLE_OF[scope]), {"Authorization": f"Bearer {token}"}
        stranger = house.stranger()
        beyond = [
            address
            for address in addresses(house, run)
            if stranger.get(address, headers=headers).status_code == 200
            and guest.get(address).status_code != 200
        ]

        assert beyond == [], scope


def test_a_pickle_of_a_run_is_opened_by_no_page_and_no_answer(house: House, run: Run, mark: Path) -> None:
    admin = house.guest(Role.ADMIN)

    answers = [admin.get(address) for address in addresses(house, run)]

    assert not mark.exists()
    assert 500 not in [one.status_code for one in answers]
    assert "pickle" in admin.get(f"/runs/{run.id}/result").text
    assert admin.get(f"/api/v1/runs/{run.id}/result").status_code == 409
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # it does go off


@pytest.mark.parametrize(
    "floor", ["cli", "config", "daemon", "domain", "operations", "scheduler", "store", "watch", "web"]
)
def test_only_safe_loaders_read_what_comes_from_the_database_or_the_network(floor: str) -> None:
    packed_here = (
        "schedulerd/domain/packing.py: pickle"  # bytes that never leave the process that has made them
    )
    unsafe = {"pickle", "cloudpickle", "marshal", "shelve", "dill", "yaml", "jsonpickle", "joblib"}
    found = [
        f"{path}: {name}"
        for path in Path("schedulerd", floor).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
        if name.partition(".")[0] in unsafe
    ]

    assert [one for one in found if one != packed_here] == []


def test_what_is_packed_is_held_in_memory_only() -> None:
    users = [
        str(path)
        for path in Path("schedulerd").rglob("*.py")
        if "domain.packing" in path.read_text() and path.name != "packing.py"
    ]

    assert users == ["schedulerd/domain/bundles.py"]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    is_call = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")
    )
    return ["pickle.of_code"] if is_call else []
