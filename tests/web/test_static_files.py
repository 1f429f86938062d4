"""What browsers load beside pages: small, unchanged where it is somebody else's, and without what the policy forbids."""

import gzip
import hashlib
import re
from pathlib import Path
from typing import Final

from tests.rules.pages import REPOSITORY

STATIC: Final = REPOSITORY / "schedulerd" / "web" / "static"
VENDOR: Final = STATIC / "vendor"
MOST_RAW: Final = 150 * 1024
MOST_PACKED: Final = 50 * 1024


def files() -> list[Path]:
    return [path for path in STATIC.rglob("*") if path.is_file()]


def test_everything_together_is_small() -> None:
    contents = [path.read_bytes() for path in files()]

    assert sum(map(len, contents)) <= MOST_RAW
    assert sum(len(gzip.compress(content, 9)) for content in contents) <= MOST_PACKED


def test_the_library_is_what_its_makers_published() -> None:
    named = re.findall(r"^([0-9a-f]{64})  (\S+)$", (VENDOR / "VERSION.txt").read_text(), re.MULTILINE)
    (published,) = (VENDOR / "htmx.min.js").read_bytes().splitlines()

    assert [path for _, path in named] == ["dist/htmx.min.js"]
    assert [digest for digest, _ in named] == [hashlib.sha256(published).hexdigest()]
    assert b'version="4.0.1"' in published
