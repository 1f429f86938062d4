"""The addresses that a command's output is mailed to: a list with commas, of which nothing can become a header. Pure."""

import re
from typing import Final

from schedulerd.errors import BadExpression

LONGEST: Final = 1_000

_ITEM: Final = re.compile(r"[^,]*")
# As cron has it: no blank, control or quoting character, nothing that a shell or a mail header reads as more than text.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+%=!@/-]*")


def parse_addresses(text: str) -> str:
    """The addresses, separated by a comma and a blank. Raises `BadExpression` that marks the one that is none."""
    if len(text) > LONGEST:
        raise BadExpression(f"is longer than {LONGEST} characters", expression=text[:50], code="address")
    found = []
    for item in _ITEM.finditer(text):
        address = item[0].strip(" \t")
        if address and _ADDRESS.fullmatch(address) is None:
            start = item.start() + item[0].index(address)
            reason = f"{address!r} is no mail address; it is a local name or name@host, several with commas"
            raise BadExpression(
                reason, expression=text, start=start, end=start + len(address), code="address"
            )
        if address:
            found.append(address)
    if not found:
        raise BadExpression("there is no mail address in it", expression=text, code="address")
    return ", ".join(found)
