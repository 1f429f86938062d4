"""Limits by name in async code: `async with concurrency("db"): ...`, and `await rate_limit("api")`."""

from schedulerd.authoring.concurrency import SlotsNotHad
from schedulerd.authoring.concurrency import async_concurrency as concurrency
from schedulerd.authoring.concurrency import async_rate_limit as rate_limit

__all__ = ["SlotsNotHad", "concurrency", "rate_limit"]
