"""Taking secrets out of what a run says: by value, also encoded, wherever they stand. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

SHORTEST: Final = 4
"""A value of fewer characters is not looked for: it would be found in all that is said."""

STARS: Final = "***"
_LINE: Final = 8  # of a value of several lines, each line of so many characters is a secret too
_MOST_DEEP: Final = 20


class Redactor:
    """The values that must not be told, and how to tell everything else. Values may be added at any time."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._bytes: re.Pattern[bytes] | None = None
        self.longest = 0

    def __bool__(self) -> bool:
        return self._pattern is not None

    def add(self, value: Any) -> None:
        """Never tell this, nor any text in it where it is a list or an object."""
        self.add_forms(form for text in _texts(value) for form in _forms(text))

    @property
    def forms(self) -> frozenset[str]:
        """All that is looked for, as another process can be told it."""
        return frozenset(self._forms)

    def add_forms(self, forms: Iterable[str]) -> None:
        """Look for these too, which another one looks for."""
        found = set(forms) - self._forms
        if not found:
            return
        longest_first = sorted(self._forms | found, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._bytes = re.compile(
            b"|".join(re.escape(form.encode("utf-8", "replace")) for form in longest_first)
        )
        self.longest = len(longest_first[0])
        self._forms.update(found)
        self._pattern = pattern

    def redact(self, text: str) -> str:
        """The text with stars in the place of secrets."""
        return text if self._pattern is None else self._pattern.sub(STARS, text)

    def redact_all(self, value: Any, *, depth: int = _MOST_DEEP) -> Any:
        """The same for all texts within a value that is JSON, keys too."""
        if self._pattern is None or depth == 0:
            return value
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, dict):
            return {
                self.redact_all(key, depth=depth - 1): self.redact_all(one, depth=depth - 1)
                for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.redact_all(one, depth=depth - 1) for one in value]
        return value

    def is_in(self, content: bytes) -> bool:
        """Does this hold a secret?"""
        return self._bytes is not None and self._bytes.search(content) is not None

    def is_in_value(self, value: Any) -> bool:
        """Does a text within this value hold a secret?"""
        return self._pattern is not None and self.redact_all(value) != _as_lists(value)


def _as_lists(value: Any) -> Any:
    return json.loads(json.dumps(value)) if isinstance(value, dict | list | tuple) else value


def _texts(value: Any) -> Iterator[str]:
    """The texts of a value: itself, or all within it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield repr(value)


def _forms(text: str) -> Iterator[str]:
    """The ways in which a text may be written down: as it is, in JSON and `repr`, URL-encoded, in Base64 and in hex."""
    for part in _parts(text):
        yield part
        yield from (form for form in _quoted(part) if len(form) >= SHORTEST)
        yield from _based(part.encode("utf-8", "surrogateescape"))


def _parts(text: str) -> Iterable[str]:
    stripped = text.strip()
    parts = {text, stripped} | {line.strip() for line in text.splitlines() if len(line.strip()) >= _LINE}
    return [part for part in parts if len(part) >= SHORTEST]


def _quoted(text: str) -> Iterator[str]:
    from urllib.parse import quote, quote_plus  # late, as below: most runs have no secret

    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield repr(text)[1:-1]
    raw = text.encode("utf-8", "surrogateescape")
    yield quote(raw)
    yield quote(raw, safe="")
    yield quote_plus(raw)


def _based(raw: bytes) -> Iterator[str]:
    """In hex, and in Base64 wherever it may stand in what is encoded: the digits that depend on it alone."""
    from base64 import b64encode

    for hexed in (raw.hex(), raw.hex().upper()):
        if len(hexed) >= 2 * SHORTEST:
            yield hexed
    for before in range(3):
        digits = b64encode(bytes(before) + raw).decode().rstrip("=")
        first = -(-before * 8 // 6)  # digits that what stands before has a part in
        last = (before + len(raw)) * 8 // 6
        sure = digits[first:last]
        if len(sure) >= 6:
            yield sure
            yield sure.replace("+", "-").replace("/", "_")
