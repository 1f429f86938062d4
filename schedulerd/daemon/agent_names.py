"""The name of an agent, which its state directory keeps."""

import contextlib
import os
import secrets
import socket
from pathlib import Path
from typing import Final

_AGENT: Final = "agent"


def agent_name(state_dir: Path) -> str:
    """The name of the agent of a state directory: the host's, with something to tell it from another on the same host.

    It is made once and kept, so that a daemon finds its runs again.
    """
    file = state_dir / _AGENT
    with contextlib.suppress(FileNotFoundError):
        if name := file.read_text().strip():
            return name
    name = f"{socket.gethostname()}-{secrets.token_hex(2)}"
    draft = file.with_name(f".{_AGENT}")
    with open(draft, "w") as stream:
        stream.write(name + "\n")
        stream.flush()
        os.fsync(stream.fileno())  # lost with the power, it would make its runs nobody's
    draft.rename(file)
    return name
