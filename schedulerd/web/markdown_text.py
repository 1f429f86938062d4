"""Markdown that a run wrote, as a page shows it: none of its HTML, no pictures, and links to http and https only."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST: Final = 16 * 1024
"""A text with more characters is shown as it is: the worst of this length take half a second."""

WEB: Final = ("https://", "http://")
_BELOW: Final = 2
"""The page has a heading of its own, and so has the artifact."""

_LOWEST: Final = 6


def markdown_markup(text: str) -> Markup:
    """The text as HTML that says what it says, and does nothing."""
    tokens = _parser().parse(text)
    for token in _each(tokens):
        _tame(token)
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # 50 ms, and few runs have something for it

    parser = MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    parser.validateLink = lambda url: url.lower().startswith(WEB)  # type: ignore[method-assign]
    return parser


def _each(tokens: Sequence[Any]) -> "Sequence[Token]":
    return [one for token in tokens for one in (token, *(token.children or ()))]


def _tame(token: "Token") -> None:
    """No styles, headings below those of the page, and links that tell nobody where they were followed."""
    token.attrs.pop("style", None)  # the alignment of a column
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(_LOWEST, int(token.tag[1:]) + _BELOW)}"
    elif token.type == "link_open":
        token.attrs["rel"] = "noreferrer noopener"
