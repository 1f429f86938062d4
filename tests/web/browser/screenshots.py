"""Takes a picture of every page: light and dark, English and Korean, on a desk and on a phone. `make screenshots`.

The first argument is the folder; others are the names of pages.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

from tests.migrated import new_database
from tests.web.browser.chromium import Chromium, executable
from tests.web.browser.page_table import PAGES
from tests.web.browser.tabs import DESK, LOCALES, PHONE, Look, Tabs
from tests.web.browser.world import World

_SIZES: Final = {"desk": DESK, "phone": PHONE}
_THEMES: Final = ("light", "dark")


def main(arguments: Sequence[str]) -> int:
    """Take them; the exit status."""
    folder, names = Path(arguments[0]), arguments[1:] or list(PAGES)
    path = executable()
    if path is None:
        print(
            "no chromium was found in PATH (Debian: apt-get install chromium fonts-noto-cjk)", file=sys.stderr
        )
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, Chromium(path) as chromium:
        world = World(new_database(Path(state)), Path(state))
        addresses = {name: PAGES[name](world.gallery) for name in names}
        with world:
            chromium.call(
                partial(_take_all, Tabs(chromium, world.address, cookie=world.cookie), addresses, folder)
            )
    print(f"{len(names) * len(list(looks()))} pictures are in {folder}")
    return 0


def looks() -> Iterator[tuple[str, Look]]:
    """Each way to look, and what it is called."""
    for theme, language, size in product(_THEMES, LOCALES, _SIZES):
        yield f"{theme}-{language}-{size}", Look(theme=theme, language=language, size=_SIZES[size])


def _take_all(tabs: Tabs, addresses: Mapping[str, str], folder: Path) -> None:
    for name, address in addresses.items():
        for suffix, look in looks():
            page = tabs.open(look)
            page.goto(address)
            page.screenshot(path=folder / f"{name}-{suffix}.png", full_page=True)
            page.context.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
