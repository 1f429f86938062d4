"""What a table says of how its command is tried again. Pure."""

from datetime import timedelta
from typing import Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.retrying import NEVER, RetryPolicy

RETRY_KEYS: Final = ("retries", "retry_delay", "retry_on_crash")
MOST_RETRIES: Final = 1_000


def retries_of(entry: Entry) -> RetryPolicy:
    """The policy that these keys of a command give. Raises `BadEntry`."""
    if not entry.given(RETRY_KEYS):
        return NEVER
    if not entry.has("command"):
        key = entry.given(RETRY_KEYS)[0]
        raise entry.wrong(
            key,
            f"`{key}` is for a `command`; a flow says it in its file: @flow(retries=3, retry_delay_seconds=10)",
        )
    if not entry.has("retries"):
        raise entry.wrong(
            entry.given(RETRY_KEYS)[0], "without `retries` there is none: say how many there may be"
        )
    retries = entry.values["retries"]
    if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= MOST_RETRIES:
        raise entry.wrong("retries", f"`retries` must be a whole number from 0 to {MOST_RETRIES:,}")
    return RetryPolicy(
        retries=retries,
        delays=_delays(entry),
        on_crash=entry.flag("retry_on_crash", default=False),
    )


def _delays(entry: Entry) -> tuple[timedelta, ...]:
    given = entry.values.get("retry_delay")
    if not isinstance(given, list):
        return (entry.duration("retry_delay"),)
    if not given:
        raise entry.wrong("retry_delay", '`retry_delay` must have a delay in it, such as ["10s", "1m"]')
    return tuple(Entry({"retry_delay": one}).duration("retry_delay") for one in given)
