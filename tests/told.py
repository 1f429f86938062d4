"""Runs as people are shown them: one that is due and cannot start says what it waits for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schedulerd.domain.runs import Run
from schedulerd.store.transaction import Transaction


def told(tx: Transaction, found: Sequence[Run], *, now: datetime) -> list[Run]:
    """The runs, with what they wait for as their reasons."""
    waits = tx.waiting.told(found, now=now)
    return [replace(run, reason=waits.get(run.key, run.reason)) for run in found]
