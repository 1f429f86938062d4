"""Loggers, under Prefect 1's name: `get_logger("etl")`."""

from schedulerd.authoring.logs import get_logger

__all__ = ["get_logger"]
