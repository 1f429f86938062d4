"""A connection to PostgreSQL that waits for each answer only so long, whatever becomes of the server.

`statement_timeout` is kept by the server, and TCP notices only a machine that is gone. A server process that stands
still, or something between that takes our bytes and passes nothing on, would have us wait for ever.
"""

import time
from collections.abc import Generator
from datetime import timedelta
from typing import Any, Final

import psycopg
from sqlalchemy import Engine, event

_Gen = Generator[Any, Any, Any]


class _NoAnswerError(Exception):
    """The time for an answer is over."""


class ImpatientConnection(psycopg.Connection[Any]):
    """Closes itself, and raises `OperationalError`, when an answer takes longer than `patience_seconds`."""

    patience_seconds: float = 5.0

    def wait(self, gen: _Gen, *arguments: Any, **options: Any) -> Any:
        """Every exchange with the server goes through here: statements, begin, commit, rollback."""
        try:
            return super().wait(_bounded(gen, self.patience_seconds), *arguments, **options)
        except _NoAnswerError:
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.patience_seconds:g} s") from None


def make_impatient(engine: Engine, patience: timedelta) -> None:
    """Have the connections of this engine wait for each answer no longer than this."""
    seconds: Final = patience.total_seconds()

    def connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> object:
        connection = ImpatientConnection.connect(*arguments, **options)
        connection.patience_seconds = seconds
        return connection

    event.listen(engine, "do_connect", connect)


def _bounded(gen: _Gen, seconds: float) -> _Gen:
    """The same exchange; raises when it is not over in time. psycopg says ten times a second that nothing has come."""
    deadline = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= deadline:
                gen.close()
                raise _NoAnswerError
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value
