"""Markdown of a run is shown as what it says; nothing of it is markup of its own, and nothing in it does anything."""

import re
import subprocess
import sys

import pytest

from schedulerd.web.markdown_text import markdown_markup


def test_it_is_shown_as_it_is_meant() -> None:
    html = markdown_markup(
        "# Rows\n\n* **1,204** kept\n* ~~3~~ `bad`\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n[more](https://example.org/x?a=1&b=2)"
    )

    assert "<h3>Rows</h3>" in html
    assert "<li><strong>1,204</strong> kept</li>" in html
    assert "<code>bad</code>" in html
    assert "<td>1</td>" in html
    assert '<a href="https://example.org/x?a=1&amp;b=2" rel="noreferrer noopener">more</a>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<b onclick=alert(1)>x</b>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "[x](&#106;avascript:alert(1))",
        "[x](/logout)",
        "[x](//evil.test/)",
        "<javascript:alert(1)>",
        "![x](https://evil.test/pixel.png)",
        '[x](https://a.test/" onmouseover="alert(1))',
        "[x]: javascript:alert(1)\n\n[x]",
        "| a |\n|:-:|\n| <style>x</style> |",
        '```x" onclick="alert(1)\ncode\n```',
        "&lt;script&gt;",
    ],
)
def test_nothing_in_it_does_anything(text: str) -> None:
    html = markdown_markup(text)

    assert set(re.findall(r"<(\w+)", html)) <= {
        "p",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "code",
    }
    for tag in re.findall(r"<\w[^>]*>", html):
        names = set(re.findall(r'\s([\w-]+)="[^"]*"', tag))
        assert names <= {"href", "rel", "class"}, tag
    assert all(href.startswith(("https://", "http://")) for href in re.findall(r'href="([^"]*)"', html))


def test_headings_stand_below_those_of_the_page() -> None:
    assert re.findall(r"<h(\d)>", markdown_markup("# a\n## b\n##### c")) == ["3", "4", "6"]


def test_the_library_is_loaded_when_there_is_something_for_it() -> None:
    asked = "import schedulerd.web.app, sys; print('markdown_it' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
