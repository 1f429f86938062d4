"""When a run that ended badly is tried again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from schedulerd.domain.durations import duration_text
from schedulerd.domain.states import RunState

_NO_DELAY: Final = timedelta()


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often a run that failed or timed out is tried again, and after how long: the last of the delays is repeated.

    One that crashed only with `on_crash`: its process went away, and may have done anything before that.
    """

    retries: int = 0
    delays: tuple[timedelta, ...] = (_NO_DELAY,)
    on_crash: bool = False

    def after(self, attempt: int, state: RunState) -> timedelta | None:
        """How long to wait when the attempt of this number, from 1, ended so; None: that is its end."""
        tried_again = {RunState.FAILED, RunState.TIMED_OUT} | ({RunState.CRASHED} if self.on_crash else set())
        if attempt > self.retries or state not in tried_again:
            return None
        return self.delays[min(attempt, len(self.delays)) - 1]

    def words(self, attempt: int, delay: timedelta) -> str:
        """Which retry comes after this attempt, for people."""
        when = f" in {duration_text(delay)}" if delay else ""
        return f"retry {attempt} of {self.retries}{when}"

    def reason(self, attempt: int, delay: timedelta, state: RunState, why: str) -> str:
        """The reason of a run that waits for its retry: which one that is, and how this attempt ended."""
        ended = f"{state}: {why}" if why else str(state)
        return f"{self.words(attempt, delay)}, since attempt {attempt} {ended}"


NEVER: Final[RetryPolicy] = RetryPolicy()


def retries_json(policy: RetryPolicy) -> dict[str, Any]:
    """The policy as JSON; nothing for none."""
    if policy == NEVER:
        return {}
    return {
        "retries": policy.retries,
        "delays": [delay.total_seconds() for delay in policy.delays],
        "on_crash": policy.on_crash,
    }


def read_retries(json: dict[str, Any]) -> RetryPolicy:
    """The policy that `retries_json` was given."""
    if not json:
        return NEVER
    return RetryPolicy(
        retries=json["retries"],
        delays=tuple(timedelta(seconds=seconds) for seconds in json["delays"]) or (_NO_DELAY,),
        on_crash=json["on_crash"],
    )
