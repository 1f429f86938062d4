"""What bodies of the API have in common: a member that is not known is an error, and nothing is changed after it was read."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A body as a route takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
