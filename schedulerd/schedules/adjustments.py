"""Prefect 1's adjustments of times: there are none here, and this says what to do instead."""

from typing import NoReturn


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(
        f"there are no adjustments of schedules, and no {name}: name the times that are meant in the clock itself, "
        'such as CronClock("0 9 * * 1-5"), or move times out of a blackout with blackout_action="run-after"'
    )
