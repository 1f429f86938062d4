"""What a courier is given and answers, as lines of JSON. A URL goes over a pipe, never into an argument list."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

_LONGEST_ANSWER: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """A message for a URL of Apprise's, or with an empty title and body a ping of a web address.

    Those with the same `strand` are run one after the other, in their order, and only until one fails.
    """

    key: str
    url: str
    strand: str
    title: str = ""
    body: str = ""

    @property
    def is_ping(self) -> bool:
        """Is the address only to be called?"""
        return not self.title and not self.body


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of an errand, in words that hold no secret."""

    key: str
    is_done: bool
    words: str = ""


def errands_line(errands: Iterable[Errand]) -> bytes:
    """What the program reads."""
    return json.dumps([asdict(errand) for errand in errands]).encode() + b"\n"


def read_errands(line: bytes) -> list[Errand]:
    """What `errands_line` wrote."""
    return [Errand(**fields) for fields in json.loads(line)]


def answer_line(answer: Answer) -> bytes:
    """What the program answers to one errand."""
    return json.dumps(asdict(answer)).encode() + b"\n"


def read_answers(output: bytes, errands: Sequence[Errand], *, otherwise: str) -> list[Answer]:
    """What came of the errands; `otherwise` of those which the program has not answered, but should have.

    Those behind one that failed were not tried, and are left out.
    """
    given = {answer.key: answer for answer in map(_answer, output.splitlines()) if answer is not None}
    answers, failed = [], set()
    for one in errands:
        if one.strand not in failed:
            answer = given.get(one.key) or Answer(key=one.key, is_done=False, words=otherwise)
            answers.append(answer)
            if not answer.is_done:
                failed.add(one.strand)
    return answers


def _answer(line: bytes) -> Answer | None:
    try:
        fields: Any = json.loads(line)
        return Answer(
            key=str(fields["key"]),
            is_done=fields["is_done"] is True,
            words=str(fields["words"])[:_LONGEST_ANSWER],
        )
    except (ValueError, TypeError, KeyError):  # cut off, or something that a library printed
        return None
