"""Limits by name: `from schedulerd.concurrency.sync import concurrency, rate_limit`, and `.asyncio` for async code."""
