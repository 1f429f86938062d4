"""When a failed attempt of a task, or of a flow, has another after it."""

from __future__ import annotations

from schedulerd.authoring.options import seconds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from typing import Any

    Delay = float | timedelta | Sequence[float | timedelta] | Callable[[int], Sequence[float]]

MOST_DELAYS = 50


class Retries:
    """How often there is another attempt, and after how long.

    The last of a list of delays is repeated. With a `jitter` of 0.5 a delay of 10 s becomes one of 10 to 15 s, so that
    many that failed together do not come back together. `condition(task, task_run, state)` false: no more.
    """

    __slots__ = ("condition", "delays", "jitter", "limit")

    def __init__(
        self,
        limit: int | None = 0,
        delay: Delay | None = 0,
        *,
        jitter: float | None = None,
        condition: Callable[..., Any] | None = None,
    ) -> None:
        limit = 0 if limit is None else limit
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise ValueError(f"retries must be a whole number from 0, not {limit!r}")
        if condition is not None and not callable(condition):
            raise TypeError(f"retry_condition_fn must be a function, not {condition!r}")
        self.limit = limit
        self.delays = _delays(delay, limit)
        self.jitter = 0.0 if jitter is None else seconds_of("retry_jitter_factor", jitter)
        self.condition = condition

    def delay_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number, before any jitter."""
        return self.delays[min(attempt, len(self.delays)) - 1]

    def pause_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt of this number."""
        delay = self.delay_after(attempt)
        if not (delay and self.jitter):
            return delay
        from random import uniform  # late: few want jitter

        return uniform(delay, delay * (1 + self.jitter))


def exponential_backoff(backoff_factor: float) -> Callable[[int], list[float]]:
    """Delays that double each time: `backoff_factor`, twice that, four times that, ... for `retry_delay_seconds`."""
    factor = seconds_of("backoff_factor", backoff_factor)

    def delays(retries: int) -> list[float]:
        """One delay for each retry."""
        return [factor * 2**number for number in range(min(retries, MOST_DELAYS))]

    return delays


def _delays(given: Any, limit: int) -> tuple[float, ...]:
    given = 0 if given is None else given
    if callable(given):
        given = list(given(limit)) or 0
    several = given if isinstance(given, list | tuple) else (given,)
    if not several:
        raise ValueError("retry_delay_seconds must not be an empty list")
    if len(several) > MOST_DELAYS:
        raise ValueError(f"retry_delay_seconds may have {MOST_DELAYS} delays, not {len(several)}")
    return tuple(seconds_of("retry_delay_seconds", delay) for delay in several)
