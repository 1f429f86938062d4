"""Variables, secrets and limits as programs see them."""

from datetime import datetime

from schedulerd.domain.named_limits import LimitUse
from schedulerd.domain.secrets import SealedSecret
from schedulerd.domain.variables import Variable
from schedulerd.operations.shapes import Shape, time_text


def variable_shape(variable: Variable) -> Shape:
    """A variable with its value."""
    return {
        "name": variable.name,
        "value": variable.value,
        "tags": list(variable.tags),
        "changed_at": time_text(variable.changed_at),
    }


def secret_shape(secret: SealedSecret) -> Shape:
    """That there is a secret: never what it is."""
    return {"name": secret.name, "changed_at": time_text(secret.changed_at)}


def limit_shape(use: LimitUse, *, now: datetime) -> Shape:
    """A limit with a name, and who holds slots of it."""
    return {
        "name": use.limit.name,
        "slots": use.limit.slots,
        "taken": round(use.taken(now=now), 3),
        "per_second": use.limit.per_second,
        "held_by": [one.run_name for one in use.held],
    }
