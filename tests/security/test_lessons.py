"""The page of the lessons names for each a test; it is there."""

import re
from typing import Final

from tests.rules.pages import REPOSITORY

PAGE: Final = REPOSITORY / "docs/explanation/security.md"
_TEST: Final = re.compile(r"`(test_\w+)`")
_MODULE: Final = re.compile(r"`(schedulerd/[\w/]+\.py)`")
_DEFINED: Final = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)


def test_every_test_and_every_file_that_the_page_names_is_there() -> None:
    text = PAGE.read_text()
    known = {
        name for path in (REPOSITORY / "tests").rglob("*.py") for name in _DEFINED.findall(path.read_text())
    }

    named = set(_TEST.findall(text))

    assert named - known == set()
    assert [path for path in _MODULE.findall(text) if not (REPOSITORY / path).is_file()] == []
    assert len(named) > 40


def test_every_lesson_has_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line][1:]

    assert len(rows) > 15
    assert [row for row in rows if not _TEST.search(row)] == []


def test_every_test_of_this_folder_is_on_the_page() -> None:
    named = set(_TEST.findall(PAGE.read_text()))
    here = {
        name
        for path in (REPOSITORY / "tests/security").glob("test_*.py")
        if path.name != "test_lessons.py"
        for name in _DEFINED.findall(path.read_text())
    }

    assert here - named == set()
