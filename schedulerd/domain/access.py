"""Who asks, and what that one may do. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What somebody may do: look; run and change flows' runs and schedules; everything."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """May who has this role do all that `other` may?"""
        return _RANK[self] >= _RANK[other]


_RANK: Final = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Somebody who was recognised. `name` is who acts, as histories and the audit tell it."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """May this one do what needs the role?"""
        return self.role.includes(role)
