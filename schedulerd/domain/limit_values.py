"""What a table says of the places that its runs take: a pool, a priority, a limit of its own. Pure."""

from collections.abc import Collection
from typing import Any, Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.names import did_you_mean
from schedulerd.domain.pools import POOL_NAME, PRIORITY_RANGE, is_pool_name, is_priority

LIMIT_KEYS: Final = ("pool", "priority", "max_running")


def limits_of(entry: Entry) -> dict[str, Any]:
    """The fields of a schedule definition that these keys give. Raises `BadEntry`."""
    if entry.has("max_running") and not entry.has("command"):
        raise entry.wrong(
            "max_running",
            "`max_running` is for a `command`; a flow says it in its file: @flow(max_running=1)",
        )
    return {
        "pool": _pool(entry),
        "priority": _priority(entry),
        "max_running": entry.whole_number("max_running", 1) if entry.has("max_running") else None,
    }


def unknown_pool(pool: str | None, pools: Collection[str]) -> str:
    """What is wrong with naming this pool; empty when nothing is."""
    if pool is None or pool in pools:
        return ""
    hint = f"; {did_you_mean(pool, tuple(pools))}" if pools else ""
    return f"`pool`: there is no pool {pool!r}{hint}"


def mend_of(pool: str) -> str:
    """What to do about a pool that is not defined."""
    name = pool if pool.isascii() and pool.replace("_", "").replace("-", "").isalnum() else f'"{pool}"'
    return (
        f"define it in schedulerd.toml, with how many runs it has places for, and start the daemon again: "
        f"[pools] {name} = 1"
    )


def _pool(entry: Entry) -> str | None:
    if not entry.has("pool"):
        return None
    if not is_pool_name(entry.values["pool"]):
        raise entry.wrong("pool", f"`pool` must be the name of a pool: {POOL_NAME}")
    return entry.text("pool")


def _priority(entry: Entry) -> int | None:
    if not entry.has("priority"):
        return None
    value = entry.values["priority"]
    if not is_priority(value):
        raise entry.wrong("priority", f"`priority` must be {PRIORITY_RANGE}; higher ones start first")
    return int(value)
