"""Variables, under Prefect's names: `Variable.get("bucket")`, and `variables.get("bucket")` of Prefect 2."""

from schedulerd.authoring.variables import Variable, get

__all__ = ["Variable", "get"]
