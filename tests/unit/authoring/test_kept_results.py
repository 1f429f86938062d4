"""Results that are kept by name: `target=`, `LocalResult` (graph style, ranks 2 and 23)."""

from pathlib import Path
from typing import Any

import pytest

from schedulerd import Flow, Parameter, task
from schedulerd.engine.results import LocalResult
from schedulerd.engine.serializers import JSONSerializer
from tests.unit.authoring.tape import Tape, a_context

ran: list[Any] = []


def made(folder: Path, **options: Any) -> Any:
    ran.clear()

    @task(**{"result": LocalResult(dir=str(folder)), **options})
    def makes(value: Any) -> Any:
        ran.append(value)
        return {"value": value}

    return makes


def state_of(made_task: Any, value: Any = 1, tape: Tape | None = None, **options: Any) -> Any:
    with Flow("x", **options) as flow:
        node = made_task(Parameter("p", default=value))
    return flow.perform({}, a_context(tape)).result[node]


def test_a_value_that_is_kept_under_its_target_is_not_made_again(tmp_path: Path) -> None:
    makes, tape = made(tmp_path, target="{flow_name}/{today}-{value}.bin"), Tape()

    first, second, other = state_of(makes), state_of(makes, tape=tape), state_of(makes, 2)

    assert (first.is_cached(), second.is_cached(), other.is_cached()) == (False, True, False)
    assert second.result == {"value": 1}
    assert second.message == "its value is kept as a flow/1970-01-01-1.bin"
    assert tape.states() == [("makes", "cached")]
    assert ran == [1, 2]
    assert sorted(path.name for path in (tmp_path / "a flow").iterdir()) == [
        "1970-01-01-1.bin",
        "1970-01-01-2.bin",
    ]


def test_each_item_of_a_map_has_a_target(tmp_path: Path) -> None:
    makes = made(
        tmp_path, target="{map_index}.json", result=LocalResult(tmp_path, serializer=JSONSerializer())
    )
    with Flow("x") as flow:
        makes.map([5, 6])
    flow.run()

    assert [(tmp_path / name).read_text() for name in ("0.json", "1.json")] == [
        '{"value": 5}',
        '{"value": 6}',
    ]


def test_a_target_may_be_a_function(tmp_path: Path) -> None:
    state_of(made(tmp_path, target=lambda value, **more: f"by-{value}-{more['task_name']}"))

    assert [path.name for path in tmp_path.iterdir()] == ["by-1-makes"]


def test_a_result_without_a_target_is_kept_and_made_again(tmp_path: Path) -> None:
    makes = made(tmp_path, result=LocalResult(tmp_path, location="{task_name}.bin"))

    assert not state_of(makes).is_cached()
    assert not state_of(makes).is_cached()
    assert LocalResult(tmp_path).read("makes.bin").value == {"value": 1}


def test_a_target_without_a_result_is_kept_where_its_flow_says(tmp_path: Path) -> None:
    makes = made(tmp_path, target="a.bin", result=None)

    state_of(makes, result=LocalResult(tmp_path))

    assert (tmp_path / "a.bin").exists()


def test_without_any_place_results_are_kept_where_schedulerd_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEDULERD_RESULTS", str(tmp_path))

    state_of(made(tmp_path, target="a.bin", result=None))

    assert (tmp_path / "a.bin").exists()


def test_nothing_is_kept_or_looked_up_without_a_checkpoint(tmp_path: Path) -> None:
    makes = made(tmp_path, target="a.bin", checkpoint=False)

    assert not state_of(makes).is_cached()
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_cannot_be_kept_fails_its_task(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    state = state_of(made(tmp_path / "file", target="a.bin"))

    assert state.is_failed()
    assert isinstance(state.result, OSError)


def test_a_kept_value_that_cannot_be_read_fails_its_task(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("no pickle")

    state = state_of(made(tmp_path, target="a.bin"))

    assert state.is_failed()
    assert state.message.startswith("its kept result cannot be read: ")


def test_a_name_that_uses_what_is_not_known_is_told(tmp_path: Path) -> None:
    state = state_of(made(tmp_path, target="{nonesuch}.bin"))

    assert (
        "the name '{nonesuch}.bin' of the result of makes uses 'nonesuch', which is not known"
        in state.message
    )


def test_a_result_is_written_and_read_by_hand(tmp_path: Path) -> None:
    result = LocalResult(tmp_path, location="{a}.bin")

    written = result.write([1], a="x")

    assert (written.location, written.value) == ("x.bin", [1])
    assert result.exists("{a}.bin", a="x")
    assert not result.exists("y.bin")
    assert result.read("x.bin").value == [1]
    assert "LocalResult" in repr(result)
    with pytest.raises(ValueError, match="a result is kept under a name"):
        LocalResult(tmp_path).write(1)
    with pytest.raises(TypeError, match="does not know bucket"):
        LocalResult(tmp_path, bucket="b")


def test_other_kinds_of_results_are_told_to_be_missing() -> None:
    with pytest.raises(ImportError, match="S3Result: results of runs are kept by the daemon"):
        exec("from schedulerd.engine.results import S3Result", {})
