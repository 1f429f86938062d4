"""Tasks that return a secret, which is looked up when they run, and so stands in no flow file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from schedulerd.authoring.redacting import given
from schedulerd.authoring.secrets import secret
from schedulerd.authoring.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class SecretBase(Task):
    """A task that returns a secret, which is neither shown nor kept."""

    is_secret = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"checkpoint": False, **options})

    def run(self) -> Any:
        """The secret."""
        raise NotImplementedError


class PrefectSecret(SecretBase):
    """The secret of that name, of `schedulerd.context.secrets`; the name may be given when the task is called."""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        super().__init__(**{"name": name, **options})
        self.secret_name = name

    def run(self, name: str | None = None) -> Any:
        """The secret; raises `ValueError` where there is none of that name."""
        wanted = name or self.secret_name
        if not wanted:
            raise ValueError("a secret needs a name: PrefectSecret('DB_PASSWORD')")
        return secret(wanted)


class EnvVarSecret(SecretBase):
    """The value of a variable of the environment, through `cast` where that is given; None where it is not set."""

    def __init__(
        self,
        name: str | None = None,
        cast: Callable[[Any], Any] | None = None,
        raise_if_missing: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**{"name": name, **options})
        self.secret_name = name
        self.cast = cast
        self.raise_if_missing = raise_if_missing

    def run(self, name: str | None = None) -> Any:
        """The value; raises `ValueError` where the variable is not set, if that is wanted."""
        wanted = name or self.secret_name
        if not wanted:
            raise ValueError("a secret needs a name: EnvVarSecret('DB_PASSWORD')")
        value = os.environ.get(wanted)
        if value is None:
            if self.raise_if_missing:
                raise ValueError(f"the variable {wanted} is not set in the environment of the run")
            return None
        given.add(value)
        return value if self.cast is None else self.cast(value)
