"""Who may call a webhook: whoever shows its secret. What is wrong is refused without asking the database for each."""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from schedulerd.operations.webhooks import digest_of
from schedulerd.web.blocking import Blocking

FRESH_SECONDS: Final = 1.0
"""So long a change of a webhook, or of its secret, may stay unknown to the gate."""

_BEARER: Final = "bearer"


class Gate:
    """Knows the digests of the secrets for a moment. It is as slow with a webhook that is not there as with one that is."""

    def __init__(
        self, digests: Callable[[], Mapping[str, bytes]], blocking: Blocking, monotonic: Callable[[], float]
    ) -> None:
        self._digests: Final = digests
        self._blocking: Final = blocking
        self._monotonic: Final = monotonic
        self._known: Mapping[str, bytes] = {}
        self._known_at = float("-inf")
        self._loading: Final = asyncio.Lock()
        self._nobody: Final = secrets.token_bytes(32)

    async def let_in(self, hook: str, authorization: str) -> bytes | None:
        """The digest of the secret that is shown, where it is that of the webhook; None for everybody else.

        Raises `StoreUnavailable` and `TooBusyError`.
        """
        await self._look()
        kind, _, secret = authorization.partition(" ")
        shown = digest_of(secret.strip() if kind.lower() == _BEARER else "")
        is_its = hmac.compare_digest(self._known.get(hook, self._nobody), shown)
        return shown if is_its else None

    async def _look(self) -> None:
        if self._monotonic() - self._known_at < FRESH_SECONDS:
            return
        async with self._loading:
            if self._monotonic() - self._known_at >= FRESH_SECONDS:
                self._known = await self._blocking.run(self._digests)
                self._known_at = self._monotonic()
