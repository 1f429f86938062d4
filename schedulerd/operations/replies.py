"""What can be asked about requests that name an idempotency key: whether they were made, and what was answered."""

from collections.abc import Callable
from typing import Final

from schedulerd.clock import Clock
from schedulerd.domain.replies import Begun, Mark, Reply
from schedulerd.errors import BadParameters, Conflict
from schedulerd.store.database import Database


class Replies:
    """Has what is asked with a key done once, however often it is asked."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def once(self, key: str, fingerprint: str, work: Callable[[Mark], Reply]) -> tuple[Reply, bool]:
        """What `work` answers, given the mark of the request, and False; or what it answered when it was asked with this key before, and True.

        Raises `Conflict` while that goes on, and `BadParameters` for a key that belongs to another request; and what `work`
        raises, after which the key is free again.
        """
        with self._database.write() as tx:
            begun = tx.replies.begin(key, fingerprint, at=self._clock.now())
        if isinstance(begun, Begun):
            return _replayed(begun, fingerprint), True
        try:
            reply = work(begun)
        except BaseException:
            with self._database.write() as tx:
                tx.replies.drop(key)
            raise
        with self._database.write() as tx:
            tx.replies.finish(key, reply)
        return reply, False


def _replayed(begun: Begun, fingerprint: str) -> Reply:
    if begun.fingerprint != fingerprint:
        raise BadParameters(
            "this Idempotency-Key belongs to another request: a key is for one method, address and body",
            mend="make a new key for each new request",
        )
    if begun.reply is None:
        raise Conflict(
            "the request with this Idempotency-Key is still being done", mend="ask again in a moment"
        )
    return begun.reply
