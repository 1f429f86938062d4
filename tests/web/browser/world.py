"""The application served over the gallery, at the gallery's time."""

from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from schedulerd.daemon.definition_reader import DefinitionReader
from schedulerd.domain.access import Role
from schedulerd.operations.definition_readers import Places
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web.app import make_app
from tests.fakes import FakeClock
from tests.web.browser.gallery import Gallery
from tests.web.browser.site import HOSTS, Site
from tests.web.entering import QuickPasswords, cookie_for

_ZONE: Final = ZoneInfo("Asia/Seoul")


class World:
    """A site that shows the gallery, until the end of the `with`."""

    def __init__(self, database: Database, state_dir: Path) -> None:
        self.database: Final = database
        self.clock: Final = FakeClock()
        self.gallery: Final = Gallery(database)
        schedules = state_dir / "schedules"
        schedules.mkdir(exist_ok=True)
        places = Places(reader=DefinitionReader(timezone="Asia/Seoul", pools=()), schedules=schedules)
        self.operations: Final = Operations(
            database, state_dir=state_dir, clock=self.clock, places=places, passwords=QuickPasswords()
        )
        self.cookie: Final = cookie_for(self.operations, Role.ADMIN, "minji")
        self._site = self._new_site()

    @property
    def address(self) -> str:
        """Where it is."""
        return self._site.address

    def stop(self) -> None:
        """Serve no longer."""
        self._site.__exit__()

    def start_again(self) -> None:
        """Serve once more, at the same address, as a web process does that knows nothing of the one before."""
        self._site = self._new_site(self._site.port)
        self._site.__enter__()

    def __enter__(self) -> Self:
        self._site.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._site.__exit__()
        self.database.close()

    def new_app(self) -> FastAPI:
        """The application that the site serves, once more."""
        return make_app(hosts=HOSTS, clock=self.clock, operations=self.operations, zone=_ZONE)

    def _new_site(self, port: int = 0) -> Site:
        return Site(self.new_app(), port=port)
