"""The pages of the documentation, as tests look at them: their code, their links, their headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]

_FENCE: Final = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(REPOSITORY))

    def blocks(self, language: str) -> list[str]:
        """The code blocks in this language."""
        return [found["text"] for found in _FENCE.finditer(self.text) if found["language"] == language]

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return _FENCE.sub("", self.text)

    def inline(self) -> list[str]:
        """What stands between single backquotes."""
        return _INLINE.findall(self.prose)

    def links(self) -> list[str]:
        """The targets of its links."""
        return _LINK.findall(_INLINE.sub("", self.prose))

    def anchors(self) -> set[str]:
        """What its headings can be linked as, by GitHub's rule."""
        headings = (re.sub(r"[^\w\- ]", "", one.lower()).strip() for one in _HEADING.findall(self.prose))
        return {heading.replace(" ", "-") for heading in headings}


def pages() -> list[Page]:
    """Every page: those beside the README, and those under docs/."""
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    return [Page(path=path, text=path.read_text("utf-8")) for path in sorted(found)]


def shell_lines(page: Page) -> Iterator[str]:
    """The lines of its shell blocks, those that end with a backslash joined with the next."""
    for block in page.blocks("sh"):
        yield from block.replace("\\\n", " ").splitlines()
