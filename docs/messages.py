"""Keeps the catalogs of the pages: `make messages` puts what templates and code say into the Korean one, and compiles it.

Texts are added untranslated, and those that nobody says any longer are dropped. Babel is needed here only; the program reads
what is compiled with the standard library.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from schedulerd.domain.cron_tokens import FIELDS
from schedulerd.domain.run_filters import KEYS
from schedulerd.errors import KINDS

WEB: Final = Path(__file__).parents[1] / "schedulerd" / "web"
LOCALE: Final = WEB / "locale"
DOMAIN: Final = "schedulerd"
LANGUAGE: Final = "ko"
_SENTENCES: Final = {"said": None}
_KEYWORDS: Final = {**DEFAULT_KEYWORDS, "N_": None, **_SENTENCES}
_IMPORT: Final = "from schedulerd.sentences import"
_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS: Final = {"templates/**.html": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}
# Texts that pages translate, and that the command line shows as they are.
_ELSEWHERE: Final = (*KEYS.values(), *(field.name for field in FIELDS), *KINDS)
_HEADER: Final = (
    "# What the pages say, in Korean. `make messages` brings it up to date; translations are written here."
)
_WIDTH: Final = 110


class _Undated(Catalog):
    """A catalog that says no dates and no names, so that it changes only when a text does."""

    @property  # type: ignore[misc]
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def main() -> int:
    """Bring the catalog up to date, and name what is not translated; the exit status."""
    catalog = updated()
    path(".po").parent.mkdir(parents=True, exist_ok=True)
    path(".po").write_bytes(as_po(catalog))
    path(".mo").write_bytes(as_mo(catalog))
    missing = untranslated(catalog)
    for text in missing:
        print(f"not translated: {text!r}", file=sys.stderr)
    return 1 if missing else 0


def path(suffix: str) -> Path:
    """Where the catalog lies, as a text or compiled."""
    return LOCALE / LANGUAGE / "LC_MESSAGES" / f"{DOMAIN}{suffix}"


def extracted(language: str = LANGUAGE) -> Catalog:
    """All that templates and code say, untranslated, in the order of the alphabet of files."""
    catalog = _Undated(locale=language, header_comment=_HEADER, fuzzy=False)
    found = extract_from_dir(
        WEB, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=("NOTE:",), strip_comment_tags=True
    )
    for file, line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalog.add(message, None, [(file, line)], auto_comments=comments, context=context)
    for file, line, message in _sentences():
        catalog.add(message, None, [(file, line)])
    for text in _ELSEWHERE:
        catalog.add(text)
    return catalog


def _sentences() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """What the modules below the pages say, where errors are worded."""
    for path in sorted(WEB.parent.rglob("*.py")):
        if WEB not in path.parents and _IMPORT in path.read_text("utf-8"):
            for line, message, *_ in extract_from_file("python", path, _SENTENCES):
                yield f"../{path.relative_to(WEB.parent)}", line, message


def written() -> Catalog:
    """The catalog as it is in the repository."""
    catalog = _Undated(locale=LANGUAGE, header_comment=_HEADER, fuzzy=False)
    if not path(".po").exists():
        return catalog
    with path(".po").open("rb") as file:
        for message in read_po(file, locale=LANGUAGE):
            if message.id:
                catalog[message.id] = message
    return catalog


def updated() -> Catalog:
    """What is said now, with the translations that there are."""
    catalog, known = extracted(), written()
    for message in catalog:
        translated = known.get(message.id, context=message.context) if message.id else None
        if translated is not None:
            message.string = translated.string
    return catalog


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that have no translation, or whose translation is a guess."""
    texts = [message for message in catalog if message.id]
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in texts
        if message.fuzzy or not all(strings(message))
    ]


def as_po(catalog: Catalog) -> bytes:
    """The catalog as a text."""
    out = BytesIO()
    write_po(out, catalog, width=_WIDTH, include_lineno=False)
    return out.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """The catalog as the program reads it."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def strings(message: Message) -> list[str]:
    """What a text is translated as: one string, or one for each plural form."""
    translation = message.string
    return [translation or ""] if translation is None or isinstance(translation, str) else list(translation)


if __name__ == "__main__":
    sys.exit(main())
