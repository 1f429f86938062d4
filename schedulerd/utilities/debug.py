"""`with raise_on_exception(): flow.run()`, under Prefect 1's name."""

from schedulerd.authoring.debugging import raise_on_exception

__all__ = ["raise_on_exception"]
