"""The herald and what it works with, made of the settings: a part of what `build` makes."""

import socket
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from schedulerd.clock import Clock
from schedulerd.config import Settings
from schedulerd.config.notify_settings import with_variables
from schedulerd.courier.errands import Errand
from schedulerd.courier.journeys import Journey
from schedulerd.domain.zones import zone
from schedulerd.scheduler.delivering import Deliverer
from schedulerd.scheduler.herald import Herald
from schedulerd.scheduler.lookout import Lookout
from schedulerd.scheduler.pinging import Pinger
from schedulerd.scheduler.telling import Receiver, Teller
from schedulerd.scheduler.troubles import Troubles
from schedulerd.store.database import Database


class Heralding:
    """`environ` is for couriers, `secrets_from` has the variables that URLs name."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        database: Database,
        environ: Mapping[str, str],
        secrets_from: Mapping[str, str],
    ) -> None:
        self._settings: Final = settings
        self._clock: Final = clock
        self._database: Final = database
        self._environ: Final = environ
        self._secrets_from: Final = secrets_from
        self._host: Final = socket.gethostname().partition(".")[0]
        self._zone: Final = zone(settings.timezone)

    def troubles(self) -> Troubles:
        """What hears of the daemon's trouble, before there is a herald."""
        return Troubles(
            self._database,
            self._clock,
            self._receivers,
            self._send_off,
            host=self._host,
            zone=self._zone,
        )

    def herald(self, troubles: Troubles) -> Herald:
        """The herald, which tells of these troubles too."""
        database, receivers = self._database, self._receivers
        return Herald(
            database,
            self._clock,
            troubles=troubles,
            lookout=Lookout(database, self._settings.notice_rules),
            teller=Teller(database, receivers, host=self._host, zone=self._zone),
            deliverer=Deliverer(database, receivers, self._send_off),
            pinger=Pinger(database, partial(with_variables, environ=self._secrets_from), self._send_off),
        )

    @property
    def _receivers(self) -> list[Receiver]:
        rules = zip(self._settings.notice_rules, self._settings.notify, strict=True)
        return [
            Receiver(rule=rule, addresses=partial(one.addresses, self._secrets_from)) for rule, one in rules
        ]

    def _send_off(self, errands: Sequence[Errand], now: float) -> Journey:
        return Journey(errands, self._environ, now=now)
