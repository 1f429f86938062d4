"""Names of files as text. To Linux a name is bytes; those that are no UTF-8 are halves of surrogate pairs to Python, which can be
opened, but neither printed, nor sent, nor kept in a database. Pure.
"""

import re
from pathlib import PurePath
from typing import Final

_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
_BYTE: Final = range(0xDC80, 0xDD00)  # what Python makes of a byte that is no UTF-8 (PEP 383)


def is_text(name: PurePath | str) -> bool:
    """Can the name be written as it is?"""
    return _NO_TEXT.search(str(name)) is None


def as_text(name: PurePath | str) -> str:
    """The name as it can be written anywhere: bytes that are no UTF-8 as a shell takes them in `$'…'`, like `caf\\xe9.py`.

    A text, also a sentence, is given back as it is.
    """
    text = name if isinstance(name, str) else str(name)
    return text if is_text(text) else _NO_TEXT.sub(lambda found: _escaped(ord(found.group())), text)


def _escaped(half: int) -> str:
    return f"\\x{half - 0xDC00:02x}" if half in _BYTE else f"\\u{half:04x}"
