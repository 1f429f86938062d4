"""Limits by name: `with concurrency("db"): ...`, and `rate_limit("api")`."""

from schedulerd.authoring.concurrency import SlotsNotHad, concurrency, rate_limit

__all__ = ["SlotsNotHad", "concurrency", "rate_limit"]
