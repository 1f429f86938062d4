"""Seals secrets, by AES-GCM, with a key that lies outside of the database. The one door for `cryptography`.

The key is a file of its own: `secret.key` in the state directory, for this user only, made when the first secret is set;
or the credential `schedulerd-secret-key` that systemd loads for the service, which then must exist.
"""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from schedulerd.errors import BadDefinition, Conflict, NotFound, NotPermitted, SchedulerdError

KEY_FILE: Final = "secret.key"
CREDENTIAL: Final = "schedulerd-secret-key"
FACT: Final = "secret_key"
"""The fact by which a database knows the key that its secrets are sealed with."""

_BYTES: Final = 32
_NONCE: Final = 12


class Seal:
    """One key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # late: few commands need it

        self._cipher: Final = AESGCM(key)
        self.mark: Final = hashlib.sha256(b"schedulerd secret key " + key).hexdigest()[:16]

    def seal(self, name: str, value: Any) -> bytes:
        """The value, which is JSON, so that only this key and this name open it."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, json.dumps(value).encode(), name.encode())

    def open(self, name: str, sealed: bytes) -> Any:
        """The value. Raises `SchedulerdError` where the key is another, or the bytes are damaged."""
        from cryptography.exceptions import InvalidTag

        try:
            return json.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode()))
        except (InvalidTag, ValueError) as error:
            raise SchedulerdError(
                f"the secret {name!r} cannot be opened: it was sealed with another key, or is damaged",
                mend=f"put the key back, or set the secret anew: `schedulerd secrets set {name}`",
            ) from error


class KeyRing:
    """Where the key is found. It is read when it is first needed."""

    def __init__(self, state_dir: Path, environ: Mapping[str, str]) -> None:
        folder = environ.get("CREDENTIALS_DIRECTORY")
        given = None if folder is None else Path(folder) / CREDENTIAL
        self._is_given = given is not None and given.exists()
        self._file: Final = given if given is not None and self._is_given else state_dir / KEY_FILE
        self._seal: Seal | None = None

    def seal(self, *, known: str | None) -> Seal:
        """The key that there is; made now where there is none and the database knows of none.

        `known` is the mark by which the database knows its key. Raises `NotFound`, `Conflict` for another key, and
        `NotPermitted` for one that others may read, or that we may not.
        """
        if self._seal is None or self._seal.mark != known:
            self._seal = Seal(self._read() or self._made(known))
        if known is not None and self._seal.mark != known:
            raise Conflict(
                f"the key {self._file} is not the one that the secrets of this database are sealed with",
                mend="put the right one back; or `secrets unset` all secrets, and set them anew",
            )
        return self._seal

    def _read(self) -> bytes | None:
        try:
            file = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise NotPermitted(
                f"the key of the secrets, {self._file}, may not be read",
                mend="run this as the daemon's user",
            ) from error
        with open(file, "rb") as opened:
            if not self._is_given and stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
                raise NotPermitted(
                    f"the key of the secrets, {self._file}, may be read by others",
                    mend=f"chmod 600 {self._file}",
                )
            return self._of(opened.read(4_096).strip())

    def _of(self, text: bytes) -> bytes:
        with suppress(ValueError):
            key = bytes.fromhex(text.decode("ascii", "replace"))
            if len(key) == _BYTES:
                return key
        raise BadDefinition(
            f"this is no key: it has to be {2 * _BYTES} hexadecimal digits",
            file=self._file,
            mend="make one with `openssl rand -hex 32`",
        )

    def _made(self, known: str | None) -> bytes:
        """A new key; whoever makes one at the same time, all have the same."""
        if known is not None:
            raise NotFound(
                "key of the secrets",
                str(self._file),
                mend="put it back from a backup; or `secrets unset` all secrets, and set them anew",
            )
        draft = self._file.with_name(f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(file, "wb") as opened:
                opened.write(secrets.token_bytes(_BYTES).hex().encode() + b"\n")
                opened.flush()
                os.fsync(file)  # lost with the power, it would take all secrets with it
            with suppress(FileExistsError):
                os.link(draft, self._file)
        except OSError as error:
            raise NotPermitted(
                f"the key of the secrets, {self._file}, cannot be made: {error.strerror}"
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        key = self._read()
        assert key is not None
        return key
