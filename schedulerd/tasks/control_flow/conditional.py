"""Branches and where they come together, where Prefect 1 has them."""

from schedulerd.authoring.control_flow import CompareValue, Merge, ifelse, merge, switch

__all__ = ["CompareValue", "Merge", "ifelse", "merge", "switch"]
