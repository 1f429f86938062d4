"""An application with all its routes, and who comes to it."""

from collections.abc import Iterator

import pytest

from tests.migrated import new_database
from tests.web.entering import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of a file, which leave nothing behind that another would meet."""
    folder = tmp_path_factory.mktemp("house")
    database = new_database(folder)
    with House(database, folder) as made:
        yield made
    database.close()
