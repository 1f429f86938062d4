"""What can be found to be wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Lie(StrEnum):
    """What can be wrong."""

    LOST = "a due time that became nothing"
    DOUBLED = "a due time that became two things"
    INVENTED = "a run for a time at which nothing was due"
    BEHIND = "a schedule that is not decided up to now"
    REASON = "a skip for a reason that its schedule does not know"
    EFFECT = "an effect that is not that of one run, once"
    ASK = "a run that was promised and is not there, or twice"
    LINE_MISSING = "a line that is not in the log"
    LINE_DOUBLED = "a line that is in the log twice"
    LINE_ORDER = "lines that are not in order"
    LINE_INVENTED = "a line in the log that nobody wrote"
    STATE = "a state that is not true"
    STUCK = "a run that does not end"
    OVERTIME = "a run that went on far beyond its limit"
    HOOKS = "hooks that were not called just once, for the end of their run"
    WISH = "a wish that was forgotten"
    PROCESS = "a process that is left"
    FOLDER = "a folder that is left"
    COMPLAINT = "what the database, or the daemon's end, says against itself"


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One lie: of what kind, about which run (its id) or schedule, and what it is."""

    lie: Lie
    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.lie}: {self.about}: {self.message}"
