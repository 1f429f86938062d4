"""No page keeps a word of English when it is in Korean: its texts are compared with those of the same page in English.

In `en-XA`, English with accents, what no catalog has stands out: on a page in it there is no text of ours without any.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from docs import messages
from schedulerd.web.problem_types import PROBLEM_TYPES
from schedulerd.web.rendering import compile_templates, environment
from tests.migrated import new_database
from tests.web.browser.page_table import PAGES
from tests.web.browser.world import World
from tests.web.entering import visitor

# What is shown as it is: code, values, names, and errors, which are worded as the command line words them.
_AS_IT_IS: Final = ("bdi", "code", "pre", "kbd", "script", "style", "time", "option", "title")
_CLASSES: Final = {
    "mono",
    "trouble",
    "told",
    "brand",
    "version",
    "zone",
    "tag",
    "said",
    "from",
    "at",
    "error",
    "message",
    "run-link",
}
# A redirect, parts of pages, what programs ask for, and a page of a run that waits for somebody.
_NO_PAGES: Final = {
    "/events",
    "/flows/{flow}/runs/{number}",
    "/flows/{flow}/strip",
    "/healthz",
    "/metrics",
    "/readyz",
    "/runs/{run}/approve",
    "/runs/{run}/logs/chunk",
    "/runs/{run}/logs/error",
}
TEXTS: Final = {
    message.id: message.string
    for message in messages.written()
    if isinstance(message.id, str) and isinstance(message.string, str) and " " in message.id
}
"""What is said in more than one word, and its Korean."""

_VOID: Final = {"meta", "link", "input", "br", "path", "use", "rect", "hr", "img", "circle", "line"}
_SPOKEN: Final = ("aria-label", "title", "placeholder", "data-label", "alt")
_WORDS: Final = re.compile(r"[A-Za-z]{3,}")
_NAME: Final = re.compile(r"\S+#\d+|\S+\.(?:py|toml):\d+|state:bad .*|\S+/\S+")


class Texts(HTMLParser):
    """The texts of a page that are words of ours: between tags, and those that are read out or shown as hints."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_data = tag in _AS_IT_IS or bool(_CLASSES & set(given.get("class", "").split()))
        if tag not in _VOID:
            self._open.append(is_data)
        if not is_data:
            self.found |= {given[name].strip() for name in _SPOKEN if given.get(name)}

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self._open):
            self.found.add(data.strip())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    with World(new_database(folder), folder) as served:
        yield served


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[TestClient]:
    with visitor(world.new_app(), world.cookie) as made:
        yield made


# The description of the API is in English, as the API is.
@pytest.mark.parametrize("name", [name for name in PAGES if name != "api"])
def test_what_a_page_says_is_said_in_korean(name: str, world: World, client: TestClient) -> None:
    address = PAGES[name](world.gallery)
    english = texts(client, address, "en")
    korean = texts(client, address, "ko")

    alike = {text for text in english & korean if _WORDS.search(text) and not _NAME.fullmatch(text)}
    alike -= known(world)

    assert alike == set()


@pytest.mark.parametrize("name", [name for name in PAGES if name != "api"])
def test_each_text_of_a_page_is_in_the_catalog(name: str, world: World, client: TestClient) -> None:
    address = PAGES[name](world.gallery)
    query = "&" if "?" in address else "?"
    accented = texts(client, f"{address}{query}lang=en-XA", "en-XA")
    korean = texts(client, address, "ko")

    plain = {
        text for text in accented if _WORDS.search(text) and text.isascii() and not _NAME.fullmatch(text)
    }
    # What has a grammar of its own in Korean, as the sentences of schedules have, needs no catalog.
    plain = (plain & korean) - known(world)

    assert any(not text.isascii() for text in accented)
    assert plain == set()
    assert [text for text in korean if text in TEXTS and TEXTS[text] != text] == []


def test_every_page_is_in_the_table(world: World) -> None:
    addresses = [PAGES[name](world.gallery).partition("?")[0] for name in PAGES]

    missing = {
        route.path_format
        for route in iter_route_contexts(world.new_app().routes)
        if "GET" in (route.methods or ())
        and not (route.path or "").startswith(("/api/v1", "/static"))
        and not any(route.path_regex.match(address) for address in addresses)
    }

    assert missing == _NO_PAGES


def texts(client: TestClient, address: str, language: str) -> set[str]:
    answer = client.get(address, headers={"Accept-Language": language})
    assert answer.headers["content-language"] == language
    return Texts(answer.text).found


def known(world: World) -> set[str]:
    """Names of things, which have none in another language."""
    parameters = {"region", "rows", "day", "string", "integer"}
    return {
        *world.gallery.names,
        *parameters,
        *PROBLEM_TYPES,
        "English",
        "CPU",
        "JSON",
        "UTC",
        "Cron",
        "root",
    }


def test_templates_that_are_compiled_in_one_language_are_in_the_other() -> None:
    compile_templates()

    one, other = environment("en"), environment("ko")
    codes = [env.get_template("flows.html").blocks["main"].__code__ for env in (one, other)]
    assert codes[0] is codes[1]
    assert len(one.cache or ()) == len(other.cache or ()) == len(one.list_templates())
