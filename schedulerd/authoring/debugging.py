"""For looking for mistakes: exceptions of tasks come out of `flow.run()`, where a debugger sees them."""

from __future__ import annotations

from schedulerd.authoring.context_values import Overriding

NAME = "raise_on_exception"


def raise_on_exception() -> Overriding:
    """`with raise_on_exception():` what a task raises is raised by `flow.run()`, and ends it."""
    return Overriding({NAME: True})
