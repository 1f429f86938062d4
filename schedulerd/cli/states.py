"""How states look: a mark, a word, a colour. Never the colour alone."""

from typing import Final

from schedulerd.cli.tables import Cell

_LOOKS: Final = {
    "scheduled": ("○", "blue"),
    "pending": ("○", "cyan"),
    "running": ("◐", "cyan"),
    "retrying": ("↻", "yellow"),
    "paused": ("‖", "yellow"),
    "cancelling": ("◌", "yellow"),
    "completed": ("✓", "green"),
    "cached": ("✓", "green"),
    "failed": ("✕", "red"),
    "timed_out": ("✕", "red"),
    "crashed": ("✕", "red"),
    "cancelled": ("⊘", "bright_black"),
    "skipped": ("»", "bright_black"),
    "upstream_failed": ("✕", "bright_black"),
}


def state_cell(state: str, *, late: bool = False) -> Cell:
    """A state with its mark."""
    mark, color = _LOOKS.get(state, ("·", "white"))
    return Cell(f"{mark} {state}{' (late)' if late else ''}", "yellow" if late else color)
