"""What tasks and flows returned, as it is kept with their run."""

from dataclasses import dataclass
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

    `content` is the value; of a large one `file` is its name in the folder of the run's results instead.
    """

    kind: ResultKind
    call: str = ""
    content: bytes = b""
    file: str = ""


OF_FLOW: Final = ""
