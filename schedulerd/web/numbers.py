"""The largest number that a request may name: what a database takes, and a bit less."""

from typing import Final

MOST: Final = 10**15
