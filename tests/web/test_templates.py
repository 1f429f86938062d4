"""Templates keep to what the Content-Security-Policy allows: no code and no style within a page."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from tests.rules.pages import REPOSITORY

TEMPLATES: Final = REPOSITORY / "schedulerd" / "web" / "templates"
NAMES: Final = sorted(path.name for path in TEMPLATES.glob("*.html"))
_CODE: Final = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


class Forbidden(HTMLParser):
    """Notes what the policy forbids, and what htmx would compile."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}> within the page")
        self.found += [f"{tag}: {found}" for found in _forbidden(given)]


def _forbidden(attributes: dict[str, str]) -> Iterator[str]:
    for name, value in attributes.items():
        is_code = value.strip().lower().startswith(("js:", "javascript:"))
        is_handler = name.startswith(("on", "hx-on", "data-hx-on"))
        if name == "style" or is_handler or is_code or (name == "hx-trigger" and "[" in value):
            yield f"{name}={value!r}"


def forbidden(template: str) -> list[str]:
    return Forbidden(_CODE.sub("x", template)).found


@pytest.mark.parametrize("name", NAMES)
def test_a_template_has_no_code_and_no_style_of_its_own(name: str) -> None:
    assert forbidden((TEMPLATES / name).read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="width: {{ share }}%">',
        "<style>p { color: red }</style>",
        "<script>go()</script>",
        '<a href="javascript:go()">',
        '<a onclick="go()">',
        '<b hx-on:click="go()">',
        "<b hx-on='click -> go()'>",
        '<b hx-vals="js:{now: now()}">',
        '<b hx-trigger="keyup[ctrlKey]">',
    ],
)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert len(forbidden(text)) == 1


def test_every_template_is_looked_at() -> None:
    assert [path.name for path in TEMPLATES.rglob("*.html") if path.parent != TEMPLATES] == []


def test_no_template_is_called_safe_by_hand() -> None:
    unescaped = [
        name for name in NAMES if re.search(r"\|\s*safe\b|autoescape", Path(TEMPLATES, name).read_text())
    ]

    assert unescaped == []
