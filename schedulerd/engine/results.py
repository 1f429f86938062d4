"""Where results of tasks are kept by name, under Prefect 1's names: `from schedulerd.engine.results import LocalResult`."""

from typing import NoReturn

from schedulerd.authoring.kept_results import LocalResult

__all__ = ["LocalResult"]


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(f"schedulerd.engine.results has no {name}; it has LocalResult, for files in a folder")
