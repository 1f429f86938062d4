"""What a run asks people to give: `class Wanted(RunInput): rows: int`, and `pause_flow_run(wait_for_input=Wanted)`."""

from pydantic import BaseModel


class RunInput(BaseModel):
    """What people give with their approval."""


__all__ = ["RunInput"]
