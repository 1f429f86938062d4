"""Errors of the authoring floor."""

from schedulerd.errors import BadParameters, SchedulerdError


class ParametersRefused(BadParameters, ValueError):
    """The parameters given to a flow do not fit it: missing, unknown, or of another type."""


class RunFailed(SchedulerdError):
    """A flow or task did not complete, and no exception says why: a state was made by hand, or something before failed."""


class MissingContext(SchedulerdError, RuntimeError):
    """What was asked for is there only within a run."""


class MappingMissingIterable(SchedulerdError, TypeError):
    """`.map()` was given nothing to map over."""


class MappingLengthMismatch(SchedulerdError, ValueError):
    """`.map()` was given lists of unequal length."""
