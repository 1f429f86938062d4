"""Edges, where Prefect 1 has them: `from schedulerd.core.edge import Edge`."""

from schedulerd.authoring.imperative import Edge

__all__ = ["Edge"]
