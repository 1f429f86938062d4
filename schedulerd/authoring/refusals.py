"""Errors of the authoring floor."""

from schedulerd.errors import BadParameters


class ParametersRefused(BadParameters, ValueError):
    """The parameters given to a flow do not fit it: missing, unknown, or of another type."""
