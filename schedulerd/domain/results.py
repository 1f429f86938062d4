"""What tasks and flows returned, as it is kept with their run."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class ResultKind(StrEnum):
    """How a value is kept."""

    PREVIEW = "preview"  # what people are shown of it is the value, as JSON
    JSON = "json"
    PICKLE = "pickle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A value that a call of a task came to, or, with no `call`, the flow.

    `content` is the value; of a large one `file` is its name in the folder of the run's results instead. When the call
    began and ended is said where another attempt is to know it.
    """

    kind: ResultKind
    call: str = ""
    content: bytes = b""
    file: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None


OF_FLOW: Final = ""
