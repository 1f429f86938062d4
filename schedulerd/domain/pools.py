"""Names of pools, and how high a priority may be."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = -1_000, 1_000

_MOST_CHARACTERS = 100


def is_pool_name(name: object) -> bool:
    """Can a pool be called so?"""
    return (
        isinstance(name, str)
        and name.isprintable()
        and name == name.strip()
        and 0 < len(name) <= _MOST_CHARACTERS
    )


def is_priority(value: object) -> bool:
    """Is this a priority: a whole number, not too high and not too low?"""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return LOWEST_PRIORITY <= value <= HIGHEST_PRIORITY


PRIORITY_RANGE = f"a whole number from {LOWEST_PRIORITY:,} to {HIGHEST_PRIORITY:,}"
POOL_NAME = f"text of at most {_MOST_CHARACTERS} printable characters, with no blank at its ends"
