"""Signals by name."""

import signal


def signal_name(number: int) -> str:
    """The name of a signal, `SIGSEGV` for 11; its number when it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
