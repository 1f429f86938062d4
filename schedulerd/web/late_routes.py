"""A route that is made whole when it is first asked for."""

from collections.abc import Callable, Collection
from threading import RLock
from typing import Any, Final

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import compile_path, get_name

_MAKING: Final = RLock()


class LateRoute(APIRoute):
    """Found like any route. What takes its parameters apart and its models together is made with its first request, or for the document of the API:
    of the many that there are a process serves few, and all of them took a fifth of its start.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        **told: Any,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.methods = {method.upper() for method in methods or ("GET",)}
        self.include_in_schema = include_in_schema
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._told: Final = told

    def __getattr__(self, name: str) -> Any:
        """What it does not have yet: then it is made whole."""
        if name.startswith("__"):
            raise AttributeError(name)
        with _MAKING:  # the document is made in another thread than requests are taken in
            if not self.is_whole:
                super().__init__(
                    self.path,
                    self.endpoint,
                    methods=self.methods,
                    name=self.name,
                    include_in_schema=self.include_in_schema,
                    **self._told,
                )
        return object.__getattribute__(self, name)

    @property
    def is_whole(self) -> bool:
        """Has somebody asked for it?"""
        return "app" in self.__dict__  # it comes last


def load_what_makes_routes() -> None:
    """Load what a route is made whole with: afterwards nothing is, whatever becomes of the files."""

    def take(body: BaseModel, name: str) -> BaseModel:
        raise NotImplementedError(name, body)

    assert LateRoute("/{name}", take, methods=("POST",), response_model=BaseModel).dependant
