"""Parts of the machine that some tests need: without one they are skipped, unless REQUIRE names it."""

import os
from typing import NoReturn

import pytest


def is_required(part: str) -> bool:
    """Does the environment variable REQUIRE (a comma separated list) name this part?"""
    return part in os.environ.get("REQUIRE", "").replace(" ", "").split(",")


def missing(part: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where the part is required."""
    message = f"NOT TESTED without {part}: {reason}"
    if is_required(part):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
