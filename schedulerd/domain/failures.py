"""Why a run or a task did not complete: what a person needs to find the place."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An exception of user code, or an end that the operating system reported.

    `file`, `line` and `task` name the place in the user's own code where that is known;
    `traceback` is the text with our own frames folded away, or empty.
    """

    type: str
    message: str
    file: str | None = None
    line: int | None = None
    task: str | None = None
    traceback: str = ""
