"""Passwords and their hashes. The one door for `argon2`."""

from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# The hash of something random that nobody knows, by the parameters of today: a name that nobody has is looked at as long.
NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$CsaT9bnYUR9ENtr/mjgFUw$joN222NQJFaaoqQ+3DDQkifKeQFtrrPiXGY4q1VgdDI"
)


class Passwords:
    """Argon2id with the parameters of RFC 9106 for where memory is short: 64 MiB, and about 100 ms."""

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher  # few commands need it

        return PasswordHasher()

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hasher.hash(password)

    def is_right(self, hashed: str | None, password: str) -> bool:
        """Is it the password of which this is kept? It takes as long where nothing is."""
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return self._hasher.verify(hashed or NOBODY, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_of_today(self, hashed: str) -> bool:
        """Was it hashed with the parameters that are used now?"""
        return not self._hasher.check_needs_rehash(hashed)
