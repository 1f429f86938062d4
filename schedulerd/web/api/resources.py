"""The routers of the API, put together."""

from collections.abc import Callable

from fastapi import APIRouter

from schedulerd.clock import Clock
from schedulerd.operations.operations import Operations
from schedulerd.web.api.agents import agent_routes, system_routes
from schedulerd.web.api.definitions import definition_routes
from schedulerd.web.api.flows import flow_routes
from schedulerd.web.api.limits import limit_routes
from schedulerd.web.api.logs import log_routes
from schedulerd.web.api.run_actions import run_action_routes
from schedulerd.web.api.runs import run_list_routes, run_routes
from schedulerd.web.api.schedules import schedule_routes
from schedulerd.web.api.secrets import secret_routes
from schedulerd.web.api.variables import variable_routes


def resources(
    operations: Operations, clock: Clock, *, is_stopping: Callable[[], bool] = lambda: False
) -> list[APIRouter]:
    """Those that ask the database. Streams end when it `is_stopping`."""
    return [
        flow_routes(operations, clock),
        run_list_routes(operations, clock),
        run_routes(operations, clock),
        run_action_routes(operations, clock),
        log_routes(operations, is_stopping=is_stopping),
        schedule_routes(operations),
        definition_routes(operations),
        agent_routes(operations, clock),
        system_routes(operations.daemon, clock),
        variable_routes(operations),
        secret_routes(operations),
        limit_routes(operations, clock),
    ]
