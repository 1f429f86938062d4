"""The machine's sendmail: the program that takes a letter and sees to the rest, whichever mail system it is of."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

_SENDMAIL_SECONDS: Final = 60.0
# A dot ends nothing; the letter says to whom; deliver while we wait (what it left behind would be ours to reap); errors
# come back by mail.
_SENDMAIL_ARGUMENTS: Final = ("-i", "-t", "-odi", "-oem")


class NotMailedError(Exception):
    """A letter could not be handed over, for the reason that it says."""


Send = Callable[[bytes], None]
"""Hands a letter, with its headers, over for delivery. Raises `NotMailedError`."""


def find_sendmail(path: str) -> str | None:
    """The machine's sendmail, in the folders of a PATH or where it is by custom; None where there is none."""
    return shutil.which("sendmail", path=f"{path}:/usr/sbin:/usr/lib")


def by_sendmail(environ: Mapping[str, str]) -> Send:
    """Hand letters to the machine's sendmail, looked for each time: it may be installed while we run."""

    def send(letter: bytes) -> None:
        program = find_sendmail(environ.get("PATH", ""))
        if program is None:
            raise NotMailedError("this machine has no sendmail")
        try:
            done = subprocess.run(
                [program, *_SENDMAIL_ARGUMENTS],
                input=letter,
                capture_output=True,
                env=dict(environ),
                timeout=_SENDMAIL_SECONDS,
                process_group=0,  # not a session: what leads another is taken for what a run left, and waited for
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotMailedError(f"{program}: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise NotMailedError(
                f"{program} ended with status {done.returncode}" + (f": {said}" if said else "")
            )

    return send
