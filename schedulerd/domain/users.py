"""People who sign in by name and password. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schedulerd.domain.access import Role
from schedulerd.errors import BadParameters
from schedulerd.sentences import said

SHORTEST_PASSWORD: Final = 12
"""Twelve random letters are 56 bits: with Argon2 and the delays that nobody gets through, and still to be remembered.

A page that runs code asks for nothing beside it, so the eight of a second factor would be too few.
"""

LONGEST_PASSWORD: Final = 1_024
_FEWEST_CHARACTERS: Final = 5
_NAME: Final = re.compile(r"\w[\w.@+-]{0,63}")
# What documents and examples write in the place of a password, and what is tried first.
_PLACEHOLDERS: Final = frozenset({
    "admin", "administrator", "changeme", "changeit", "changethis", "default", "dragon", "example",
    "insertpassword", "iloveyou", "letmein", "mypassword", "pass", "passphrase", "passw0rd", "password",
    "passwort", "placeholder", "qwerty", "qwertyuiop", "root", "schedulerd", "secret", "superuser",
    "test", "todo", "user", "welcome", "yourpassword", "zaq12wsx",
})  # fmt: skip
_WORDS: Final = re.compile(r"[^\W\d_]+(?:0[^\W\d_]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who may sign in by a password, unless disabled."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None
    has_password: bool = True

    @property
    def is_enabled(self) -> bool:
        """May this one sign in?"""
        return self.disabled_at is None


def user_name(text: str) -> str:
    """The name of a user as it is kept: letter case says nothing. Raises `BadParameters` for what cannot be one."""
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _NAME.fullmatch(name):
        raise BadParameters(
            said(
                "{name!r} cannot be the name of a user: it has 1 to 64 letters, digits and . _ - @ +",
                name=text[:80],
            )
        )
    return name


def password_text(text: str) -> str:
    """The password as it is compared: keyboards spell one letter in more than one way."""
    return unicodedata.normalize("NFC", text)


def check_password(password: str, *, user: str) -> str:
    """The password, which somebody is to have from now on. Raises `BadParameters` where it would be guessed."""
    text = password_text(password)
    if len(text) < SHORTEST_PASSWORD:
        raise _refused(
            said(
                "it has {count} characters, and needs at least {shortest}",
                count=len(text),
                shortest=SHORTEST_PASSWORD,
            )
        )
    if len(text) > LONGEST_PASSWORD:
        raise _refused(said("it has more than {longest:,} characters", longest=LONGEST_PASSWORD))
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise _refused(said("it has control characters in it, which no form can send"))
    if text.isdecimal():
        raise _refused(said("it is a number"))
    if len(set(text.casefold())) < _FEWEST_CHARACTERS:
        raise _refused(
            said("it is made of fewer than {fewest} different characters", fewest=_FEWEST_CHARACTERS)
        )
    if _is_placeholder(text.casefold(), user.casefold()):
        raise _refused(said("it is one of those that are tried first"))
    return text


def _is_placeholder(text: str, user: str) -> bool:
    """Is it nothing but such words, digits and marks?"""
    known = sorted({*_PLACEHOLDERS, user, *_WORDS.findall(user)}, key=len, reverse=True)
    rest = text
    for word in known:
        if len(word) > 2:
            rest = rest.replace(word, "")
    letters = "".join(_WORDS.findall(rest))
    return (len(letters) < 4 and rest != text) or _runs_on(text)


def _runs_on(text: str) -> bool:
    """Is each character the next one of the alphabet, or of a row of the keyboard?"""
    rows = (
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "01234567890123456789",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
    )
    return any(text in row or text in row[::-1] for row in rows)


def _refused(reason: str) -> BadParameters:
    return BadParameters(
        said("this password is refused: {reason}", reason=reason),
        mend=said(
            "take a few words that have nothing to do with each other, or what a password manager makes"
        ),
    )
