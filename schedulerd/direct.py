"""What a flow asks for in plain Python, where no daemon runs it, is answered from the project's own database.

The project is the one whose settings file the command line would find: SCHEDULERD_CONFIG, ./config/schedulerd.toml, then
/etc/schedulerd/schedulerd.toml. Imported by name, when something is asked.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any, Final, TypeVar

from schedulerd.clock import SystemClock
from schedulerd.config import Settings, find_settings_file, load_settings
from schedulerd.domain.questions import refusal
from schedulerd.engine.folders import RESULTS
from schedulerd.errors import NotFound, SchedulerdError
from schedulerd.operations.daemon import guard
from schedulerd.operations.operations import Operations
from schedulerd.operations.variables import ANSWERS
from schedulerd.store.database import Database

T = TypeVar("T")

_LOOK_SECONDS: Final = 0.25

_WITHOUT: Final = "there is no daemon here that runs this flow, and no settings file of a project was found"
_MEND: Final = (
    "run it in the project's folder (the one that holds config/), name the settings file in SCHEDULERD_CONFIG, "
    "or have the daemon run it"
)


class _Channel:
    """Answers at once, or says why there is no answer here; what flows tell is recorded nowhere."""

    is_by_daemon = False

    def ask(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        seconds: float | None = None,
        is_long: bool = False,
        private: str | None = None,
    ) -> Mapping[str, Any]:
        """The answer, or why there is none here."""
        try:
            return self._answer(kind, body, private, seconds)
        except SchedulerdError as error:
            return refusal(error.message, mend=error.mend)

    def tell(self, kind: str, **said: Any) -> None:
        """Nothing is recorded outside of runs."""

    def _answer(
        self, kind: str, body: Mapping[str, Any], private: str | None, seconds: float | None
    ) -> Mapping[str, Any]:
        """The answer. Raises `SchedulerdError` where there is none."""
        raise NotImplementedError


class DirectChannel(_Channel):
    """Answers out of the database of a project."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def _answer(
        self, kind: str, body: Mapping[str, Any], private: str | None, seconds: float | None
    ) -> Mapping[str, Any]:
        if kind in ANSWERS:
            return self._asked(lambda asked: asked.variables.ask(kind, body))
        if kind in ("secret.get", "secret.set"):
            return self._asked(lambda asked: asked.secrets.ask(kind, body, private))
        if kind in ("run.start", "run.state", "run.resume"):
            return self._asked(lambda asked: asked.child_runs.ask(kind, body))
        if kind == "run.result":
            folder = str(self._settings.state_dir / RESULTS)
            return {**self._asked(lambda asked: asked.child_runs.ask(kind, body)), "folder": folder}
        if kind == "run.wait":
            return self._waited(body, seconds)
        return refusal(
            f"{kind} can only be asked in a run of the daemon", mend="have the daemon run the flow"
        )

    def _waited(self, body: Mapping[str, Any], seconds: float | None) -> Mapping[str, Any]:
        """How a run ended; raises `TimeoutError` where it has not after so many seconds."""
        clock = SystemClock()
        until = None if seconds is None else clock.monotonic() + seconds
        while True:
            answer = self._asked(lambda asked: asked.child_runs.ask("run.wait", body))
            if answer:
                return answer
            if until is not None and clock.monotonic() >= until:
                raise TimeoutError(f"the run has not ended within {seconds:g} s")
            Event().wait(_LOOK_SECONDS)

    def _asked(self, work: Callable[[Operations], T]) -> T:
        database = guard(Database(self._settings.store.url), self._settings.state_dir)
        try:
            database.require_current()
            asked = Operations(
                database, state_dir=self._settings.state_dir, clock=SystemClock(), environ=os.environ
            )
            return work(asked)
        finally:
            database.close()


class StoreChannel(_Channel):
    """Answers out of a database that is open, where runs of other flows cannot be had: in a test."""

    def __init__(self, asked: Operations) -> None:
        self._of = asked

    def _answer(
        self, kind: str, body: Mapping[str, Any], private: str | None, seconds: float | None
    ) -> Mapping[str, Any]:
        if kind in ANSWERS:
            return self._of.variables.ask(kind, body)
        if kind in ("secret.get", "secret.set"):
            return self._of.secrets.ask(kind, body, private)
        return refusal(f"{kind} cannot be asked in a test", mend="try it with schedulerd.testing.daemon()")


class NoProject(_Channel):
    """Answers nothing: there is nowhere to look."""

    def _answer(
        self, kind: str, body: Mapping[str, Any], private: str | None, seconds: float | None
    ) -> Mapping[str, Any]:
        return refusal(f"{kind}: {_WITHOUT}", kind="nowhere", mend=_MEND)


def channel() -> "DirectChannel | NoProject":
    """Where a flow in plain Python asks: the project of the folder that the process is in."""
    try:
        file = find_settings_file(None, os.environ)
    except NotFound as error:
        raise NotFound(error.kind, error.name, mend="SCHEDULERD_CONFIG names it") from None
    return NoProject() if file is None else _of(file.resolve())


@cache
def _of(file: Path) -> DirectChannel:
    return DirectChannel(load_settings(file, os.environ))
