"""Artifacts and events: what is recorded of them, what is refused, and what is said in plain Python."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from schedulerd import flow, task
from schedulerd.artifacts import (
    acreate_markdown_artifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from schedulerd.authoring.loading import loading
from schedulerd.errors import BadParameters
from schedulerd.events import emit_event
from tests.unit.authoring.tape import Tape, run


def told(body: Any) -> list[dict[str, Any]]:
    """What a flow of this body tells."""
    tape = Tape()
    outcome = run(flow(body), tape=tape)
    assert outcome.state == "completed", outcome.message
    return [{name: value for name, value in one.items() if name not in ("id", "at")} for one in tape.told]


def test_each_kind_of_artifact_is_recorded_with_its_key_and_its_task() -> None:
    @task
    def draws() -> None:
        create_markdown_artifact("# Done", key="report", description="of today")

    def body() -> None:
        draws()
        create_table_artifact([{"a": 1, "b": float("nan"), "c": Path("x")}])
        create_table_artifact({"a": (1, 2)}, key="columns")
        create_link_artifact("https://a.example", "there")
        create_link_artifact("https://a.example")
        create_image_artifact("https://a.example/x.png")
        update_progress_artifact(create_progress_artifact(0, key="load"), 50.5, "half")

    def artifact(
        kind: str, data: object, key: str = "", description: str = "", **more: int
    ) -> dict[str, Any]:
        name = f" '{key}'" if key else ""
        said = {"kind": "artifact", "summary": f"artifact{name}: {kind}"}
        return said | {"a": kind, "d": data, "y": key, "e": description} | more

    assert told(body) == [
        artifact("markdown", "# Done", "report", "of today", n=1),
        artifact("table", [{"a": 1, "b": None, "c": "x"}]),
        artifact("table", {"a": [1, 2]}, "columns"),
        artifact("link", {"link": "https://a.example", "text": "there"}),
        artifact("link", {"link": "https://a.example", "text": "https://a.example"}),
        artifact("image", "https://a.example/x.png"),
        artifact("progress", 0.0, "load"),
        artifact("progress", 50.5, "load", "half"),
    ]


def test_in_async_code_they_are_awaited() -> None:
    async def body() -> tuple[object, object]:
        return await create_markdown_artifact("a"), await acreate_markdown_artifact("b")

    first, second = asyncio.run(body())

    assert isinstance(first, UUID)
    assert isinstance(second, UUID)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: create_markdown_artifact("a", key="Report 1"), "'Report 1' cannot be the key"),
        (lambda: create_markdown_artifact("a", key=""), "'' cannot be the key"),
        (lambda: create_markdown_artifact(b"a"), "markdown has to be text, not bytes"),  # type: ignore[arg-type]
        (lambda: create_markdown_artifact("a" * 300_000), "more than 262,144"),
        (lambda: create_table_artifact("a"), "a table is a list of rows"),
        (lambda: create_progress_artifact(101), "a number from 0 to 100, not 101"),
        (lambda: create_progress_artifact(True), "a number from 0 to 100"),
        (lambda: update_progress_artifact(uuid4(), 1), "no progress artifact that was made here"),
        (lambda: emit_event("", {"id": "a"}), "needs a name of 1 to 255"),
        (lambda: emit_event("a", {}), "needs an id"),
        (lambda: emit_event("a", {"id": "a"}, related=[{}]), "needs an id"),
        (lambda: emit_event("a", {"id": "a"}, payload={"a": object()}), "is not JSON"),
        (
            lambda: emit_event(
                "a", {"id": "a"}, occurred=datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
            ),
            "needs a time zone",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Any, reason: str) -> None:
    with pytest.raises((ValueError, TypeError, BadParameters)) as error:
        make()

    assert reason in str(error.value)


def test_an_event_is_recorded_as_it_was_told() -> None:
    at = datetime(2026, 11, 22, 6, tzinfo=UTC)

    def body() -> None:
        emit_event(
            "rows.loaded",
            {"prefect.resource.id": "warehouse"},
            occurred=at,
            related=[{"id": "x"}],
            payload={"rows": 3},
            follows=None,
        )

    assert told(body) == [
        {
            "kind": "event",
            "summary": "event rows.loaded",
            "w": "rows.loaded",
            "of": {"prefect.resource.id": "warehouse"},
            "p": {"rows": 3},
            "up": [{"id": "x"}],
        }
    ]


def test_in_plain_python_it_is_said_on_the_console(caplog: pytest.LogCaptureFixture) -> None:
    @flow
    def plain() -> None:
        create_markdown_artifact("# Done", key="report")
        emit_event("done", {"id": "x"})

    plain()
    emit_event("outside", {"id": "x"})

    said = caplog.text
    assert "artifact 'report': markdown" in said
    assert "event done" in said
    assert "event outside" in said


def test_while_a_file_is_looked_at_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with loading(tmp_path / "etl.py"):
        emit_event("a", {"id": "x"})
        create_markdown_artifact("a")

    assert caplog.text == ""


def test_prefect_1_gives_ids_as_text() -> None:
    from schedulerd.backend.artifacts import create_link, create_markdown_artifact

    assert UUID(create_link("https://a.example"))
    assert UUID(create_markdown_artifact("a"))
