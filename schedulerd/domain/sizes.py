"""Amounts of memory and disk as people write them, `64MB` or `2GiB`; and the same for showing."""

import re
from typing import Final

from schedulerd.errors import BadExpression

UNITS: Final = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
"""Bytes of each unit, in capital letters: decimal as disks are sold, binary with an `i` (IEC 80000-13)."""

LARGEST: Final = 2**60
_SIZE: Final = re.compile(r"\s*([0-9]{1,18})(?:\.([0-9]{1,3}))?\s*([KMGT]?i?B)\s*", re.IGNORECASE | re.ASCII)
_ALLOWED: Final = "a size is written like 64MB, 1.5GB or 512MiB (units B KB MB GB TB KiB MiB GiB TiB)"


class Bytes(int):
    """A number of bytes."""


def parse_size(text: str) -> Bytes:
    """The bytes that the text stands for, a whole number of them; raises `BadExpression`."""
    found = _SIZE.fullmatch(text)
    unit = UNITS.get(found.group(3).upper()) if found else None
    if found is None or unit is None:
        raise BadExpression(_ALLOWED, expression=text, code="size")
    thousandths = int(found.group(1)) * 1_000 + int((found.group(2) or "").ljust(3, "0"))
    size = thousandths * unit // 1_000
    if size > LARGEST:
        raise BadExpression("a size is at most 1 EiB", expression=text, code="size")
    return Bytes(size)


def size_text(size: int) -> str:
    """A size for people, to a tenth of the largest unit that fits: `961 MB`, `1.5 GB`, `12 B`."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size >= UNITS[unit]:
            return f"{size / UNITS[unit]:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} B"
