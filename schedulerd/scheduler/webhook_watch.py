"""Whether the webhooks let anybody in: callers are told nothing, so that whoever runs the daemon has to be."""

from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.health import TroubleKind
from schedulerd.operations.secrets import SecretBox
from schedulerd.operations.webhooks import shut
from schedulerd.scheduler.health import HealthBook
from schedulerd.store.database import Database
from schedulerd.store.lookout import Lookout

_LOOK_SECONDS: Final = 2.0
_MOST_TOLD: Final = 5


class WebhookWatch:
    """Looks now and then, as secrets are changed without the daemon being told."""

    def __init__(self, database: Database, clock: Clock, health: HealthBook, secrets: SecretBox) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._health: Final = health
        self._secrets: Final = secrets
        self._looked_at = float("-inf")
        self._lookout: Final = Lookout(database.mark)

    def look(self) -> None:
        """Note which let nobody in, when it is time. Raises `StoreUnavailable`."""
        monotonic = self._clock.monotonic()
        if monotonic - self._looked_at < _LOOK_SECONDS:
            return
        if not self._lookout.begin():
            return
        with self._database.read() as tx:
            faults = shut(tx, self._secrets)
        self._looked_at = monotonic
        self._lookout.end(found=bool(faults))
        if not faults:
            self._health.clear(TroubleKind.WEBHOOKS)
            return
        more = [f"and {len(faults) - _MOST_TOLD} more"] if len(faults) > _MOST_TOLD else []
        self._health.note(TroubleKind.WEBHOOKS, "; ".join([*faults[:_MOST_TOLD], *more]))
