"""Values in places that are told by a path or an URL."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from schedulerd import flow, task
from schedulerd.authoring.keeping import Keeper, NotKept
from schedulerd.authoring.storages import read_from, storage_of, write_to
from schedulerd.cache_policies import INPUTS

pytest.importorskip("fsspec")
LARGE = os.urandom(100_000)


@pytest.fixture(params=["path", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder, and a place of fsspec's."""
    places = {"path": f"{tmp_path}", "memory": f"memory://{tmp_path.name}"}
    return places[request.param]


def test_what_is_written_can_be_read(place: str) -> None:
    where = write_to(f"{place}/run", "name", b"content")

    assert where == f"{place}/run/name"
    assert read_from(where) == b"content"


def test_what_is_not_there_is_an_error_of_the_system(place: str) -> None:
    with pytest.raises(OSError):
        read_from(f"{place}/none")


def test_a_protocol_that_nobody_knows_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="nowhere://x cannot be written to: ValueError: Protocol not known"):
        write_to("nowhere://x", "name", b"")


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        (5, TypeError, "result_storage must be a path or an URL"),
        ("", ValueError, "result_storage must be a path or an URL"),
        ("ftp://me:hush@host/x", ValueError, "must not hold a password"),
    ],
)
def test_what_is_no_place_is_refused(given: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        storage_of("result_storage", given)


def test_paths_are_made_absolute_and_urls_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert storage_of("x", "results") == str(tmp_path / "results")
    assert storage_of("x", tmp_path) == str(tmp_path)
    assert storage_of("x", "s3://bucket/results/") == "s3://bucket/results"
    assert storage_of("x", f"file://{tmp_path}/far") == f"{tmp_path}/far"
    assert storage_of("x", None) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(OSError):
        read_from(str(tmp_path / "link"))


def test_large_values_of_a_run_go_to_its_storage_and_come_back(place: str, tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "local" / "the-run", limit=1_000_000, storage=place)

    _, small = keeper.keep({"a": object})
    _, large = keeper.keep(LARGE)

    assert small is not None
    assert large is not None
    assert small.file == ""
    assert large.file.startswith(f"{place}/the-run/")
    assert keeper.load(large.kind, b"", large.file) == LARGE
    assert not (tmp_path / "local").exists()


def test_a_storage_that_fails_is_why_a_value_is_not_kept(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, limit=1_000_000, storage="nowhere://x")

    with pytest.raises(NotKept, match=r"nowhere://x/.* cannot be written to"):
        keeper.keep(LARGE)


def test_without_fsspec_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)

    with pytest.raises(OSError, match=r"needs fsspec, .*: pip install 'schedulerd\[storage\]'"):
        write_to("memory://x", "name", b"")


def test_a_task_is_cached_where_it_says(place: str) -> None:
    ran: list[int] = []

    @task(cache_policy=INPUTS, result_storage=place)
    def priced(number: int) -> int:
        ran.append(number)
        return number * 2

    @flow
    def etl() -> int:
        return int(priced(4))

    assert [etl(), etl()] == [8, 8]
    assert ran == [4]


def test_a_place_that_is_none_is_refused_where_the_task_and_the_flow_are_made() -> None:
    with pytest.raises(TypeError, match="result_storage must be a path or an URL"):
        task(result_storage=5)(lambda: None)
    with pytest.raises(TypeError, match="result_storage must be a path or an URL"):
        flow(result_storage=5)(lambda: None)
