"""schedulerd: a scheduling daemon for Python flows, and the API that flow files are written with."""

from schedulerd.authoring.functions import flow
from schedulerd.authoring.graphs import Flow
from schedulerd.authoring.logs import get_run_logger
from schedulerd.authoring.nodes import Parameter
from schedulerd.authoring.tasks import task
from schedulerd.version import __version__

__all__ = ["Flow", "Parameter", "__version__", "flow", "get_run_logger", "task"]
