"""Errors of the authoring floor."""

from schedulerd.errors import BadParameters, SchedulerdError


class ParametersRefused(BadParameters, ValueError):
    """The parameters given to a flow do not fit it: missing, unknown, or of another type."""


class RunFailed(SchedulerdError):
    """A flow or task did not complete, and no exception says why: a state was made by hand, or something before failed."""


class TaskNotReady(RunFailed):
    """A task did not run, since one before it did not complete. `first` says which that was, and how it ended."""

    def __init__(self, message: str, *, first: str = "") -> None:
        super().__init__(message)
        self.first = first


class MissingContext(SchedulerdError, RuntimeError):
    """What was asked for is there only within a run."""


class MappingMissingIterable(SchedulerdError, TypeError):
    """`.map()` was given nothing to map over."""


class MappingLengthMismatch(SchedulerdError, ValueError):
    """`.map()` was given lists of unequal length."""


class Refused(SchedulerdError, ValueError):
    """What code within a run asked for cannot be had. `kind` is `nowhere` where there is nobody to ask."""

    def __init__(self, message: str, *, mend: str = "", kind: str = "refused") -> None:
        super().__init__(message, mend=mend)
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.message} ({self.mend})" if self.mend else self.message
