"""What a page asks the database: its queries, as they go out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


@contextmanager
def queries() -> Iterator[list[str]]:
    """Collects them, by whatever engine, until the end of the `with`. Beginnings and ends of transactions are none."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, _parameters: Any, *_: object) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
