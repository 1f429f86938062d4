"""Slots of limits with a name: code waits for them, holds them, and gives them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedulerd.authoring.asking import ask, is_by_daemon, is_idle, tell
from schedulerd.authoring.dual import aside
from schedulerd.authoring.refusals import MissingContext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any


class SlotsNotHad(TimeoutError):
    """The slots were not to be had in time."""


class Slots:
    """`occupy` slots of each of these limits. All are taken together, by those first who asked first."""

    def __init__(
        self,
        names: str | Sequence[str],
        *,
        occupy: int,
        timeout_seconds: float | None,
        strict: bool,
        rate: bool,
    ) -> None:
        self._names = [names] if isinstance(names, str) else list(names)
        self._body = {"names": self._names, "occupy": occupy, "strict": strict, "rate": rate}
        self._seconds = timeout_seconds
        self._strict = strict
        self._held: str | None = None
        self._is_unwanted = False

    def take(self) -> None:
        """Wait until they are had. Raises `SlotsNotHad` where that takes longer than the timeout."""
        if not self._names or is_idle():
            return
        if not is_by_daemon():
            self._without_daemon()
            return
        try:
            answer = ask("slot.take", _seconds=self._seconds, _is_long=True, **self._body)
        except TimeoutError:
            raise SlotsNotHad(
                f"no slots of {', '.join(self._names)} were to be had within {self._seconds:g} s"
            ) from None
        self._held = str(answer["id"])
        for name in answer.get("missing", ()):
            _warn(
                f"there is no limit {name!r}: nothing is waited for (`schedulerd limits set {name} 1` makes it)"
            )
        if self._is_unwanted:
            self.give_back()

    def give_back(self) -> None:
        """Let others have them; what is still waited for is given back when it comes."""
        self._is_unwanted = True
        if self._held is not None:
            held, self._held = self._held, None
            tell("free", id=held)

    def _without_daemon(self) -> None:
        told = f"the limit {', '.join(self._names)} is kept among runs of the daemon only"
        if self._strict:
            raise MissingContext(
                f"{told}, and none runs this flow", mend="have the daemon run it, or leave strict out"
            )
        _warn(told)


class Holding:
    """`with` and `async with`: the slots are held within the block."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        self._slots.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._slots.give_back()


class AsyncHolding:
    """`async with`: the slots are held within the block, and the event loop goes on while they are waited for."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    async def __aenter__(self) -> None:
        try:
            await aside(self._slots.take)
        except BaseException:
            self._slots.give_back()  # cancelled: the thread that waits may be given them yet
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._slots.give_back()


def concurrency(
    names: str | Sequence[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    **more: Any,
) -> Holding:
    """Hold slots of limits within the block: `with concurrency("db"): ...`.

    Without `strict` a limit that is not there is a warning. `max_retries` and `lease_duration` are Prefect's, and do
    nothing: slots are counted from the runs that live.
    """
    return Holding(Slots(names, occupy=occupy, timeout_seconds=timeout_seconds, strict=strict, rate=False))


def async_concurrency(
    names: str | Sequence[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    max_retries: int | None = None,
    lease_duration: float = 300,
    strict: bool = False,
    **more: Any,
) -> AsyncHolding:
    """`concurrency` for async code: `async with concurrency("db"): ...`."""
    return AsyncHolding(
        Slots(names, occupy=occupy, timeout_seconds=timeout_seconds, strict=strict, rate=False)
    )


def rate_limit(
    names: str | Sequence[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    strict: bool = False,
    **more: Any,
) -> None:
    """Wait until so many slots of limits by time have come back."""
    Slots(names, occupy=occupy, timeout_seconds=timeout_seconds, strict=strict, rate=True).take()


async def async_rate_limit(
    names: str | Sequence[str],
    occupy: int = 1,
    timeout_seconds: float | None = None,
    strict: bool = False,
    **more: Any,
) -> None:
    """`rate_limit` for async code."""
    await aside(lambda: rate_limit(names, occupy, timeout_seconds, strict))


def _warn(message: str) -> None:
    from schedulerd.authoring.logs import get_run_logger

    get_run_logger().warning("%s", message)
