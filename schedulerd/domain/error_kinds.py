"""What errors are told apart by: type and message, but for the numbers and addresses in it. Pure."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NewType

from schedulerd.domain.failures import Failure

ErrorKey = NewType("ErrorKey", int)

_LONGEST: Final = 300
# Addresses, digests and parts of ids, and numbers.
_VARYING: Final = re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b|[0-9]+")
# What may be a part of one of these: all with a number in it; and a word at either end of the text that may go on beyond it,
# and has a number there. What stands for one of these is nothing to look for, either.
_MAY_VARY: Final = re.compile(
    r"#|[0-9a-fA-FxX]*[0-9][0-9a-fA-FxX]*|\A[0-9a-fA-FxX]+(?!\w)|(?<!\w)[0-9a-fA-FxX]+\Z"
)
_KEY_BYTES: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorKind:
    """A kind of error; its key is of its text alone."""

    text: str

    @property
    def key(self) -> ErrorKey:
        """Two kinds have the same once in four billion times that there are four billion kinds."""
        digest = blake2b(self.text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        return ErrorKey(int.from_bytes(digest) >> 1)  # a database counts up to half of that


@dataclass(frozen=True, kw_only=True, slots=True)
class KindSearch:
    """The kinds that an error with a text in its type and first line, but not beyond what a kind has of them, is of: they
    have all of the `parts`.

    `is_exact`: each error of such a kind has the text. Without parts it may be any kind.
    """

    parts: tuple[str, ...]
    is_exact: bool


def error_kind(failure: Failure) -> ErrorKind:
    """The kind that a failure is of: the type, and the first line of the message, as far as that is not endless."""
    line = failure.message.strip().split("\n", 1)[0]
    return ErrorKind(text=f"{failure.type}: {_VARYING.sub('#', line)}"[:_LONGEST])


def kind_search(text: str) -> KindSearch:
    """How to look for the kinds of the errors that have this text."""
    parts = tuple(part for part in _MAY_VARY.split(text) if part)
    return KindSearch(parts=parts, is_exact=parts == (text,))
