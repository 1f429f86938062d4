"""What a person at a terminal reads when the daemon is ready."""

import shutil
import sys

from schedulerd.config import Settings
from schedulerd.version import __version__


def program() -> str:
    """How to call this program from here: by its name where the shell finds it, else by the path it was called by."""
    return "schedulerd" if shutil.which("schedulerd") else sys.argv[0]


def welcome(settings: Settings, *, program: str, where: str, link: str | None = None) -> str:
    """Where things are, and what to type next. The `link` signs in whoever opens it first, so this is for a terminal only."""
    entry = (
        "" if link is None else f"\n  To come in, within ten minutes (later: {program} open):\n\n    {link}\n"
    )
    flows = ", ".join(map(str, settings.flows))
    schedules = ", ".join(map(str, settings.schedules))
    return f"""
  schedulerd {__version__} is ready

    flow files      {flows}
    schedule files  {schedules}
    web             {where}
{entry}
  In another terminal:

    {program} next          what runs when
    {program} runs list     what ran
    {program} logs          what the last run said

  Ctrl-C stops it.
"""
