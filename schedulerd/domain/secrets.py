"""Secrets as they are kept: sealed, and known by their names."""

from dataclasses import dataclass
from datetime import datetime

from schedulerd.domain.ids import RunKey


@dataclass(frozen=True, kw_only=True, slots=True)
class SealedSecret:
    """A secret that only the key opens."""

    name: str
    sealed: bytes
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretUse:
    """That an attempt of a run has been given a secret, sealed as it then was: its output is told without it."""

    run: RunKey
    attempt: int
    name: str
    sealed: bytes
