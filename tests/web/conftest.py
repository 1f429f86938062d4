"""A history with a bit of everything, and somebody who looks at its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedulerd.store.database import Database
from tests.web.page_scene import PageScene, Reader


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> PageScene:
    return PageScene(sqlite_database, tmp_path)


@pytest.fixture
def reader(scene: PageScene) -> Iterator[Reader]:
    with scene.client() as reader:
        yield reader
