"""Arguments of a task's `run` that are taken from its attributes where they are not given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def defaults_from_attrs(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For the method `run` of a Task: what is not given, or None, is the task's attribute of that name."""

    def decorate(run: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps
        from inspect import signature

        form = signature(run)
        unknown = [name for name in names if name not in form.parameters]
        if unknown:
            raise ValueError(f"{run.__qualname__} has no argument {', '.join(unknown)}")

        @wraps(run)
        def filled(self: Any, *args: Any, **kwargs: Any) -> Any:
            given = form.bind_partial(self, *args, **kwargs).arguments
            for name in names:
                if given.get(name) is None:
                    kwargs[name] = getattr(self, name)
            positional = form.bind_partial(self, *args)
            args = tuple(positional.args[1:])
            taken = [name for name in names if name in positional.arguments and name in kwargs]
            for name in taken:  # it stands among the positional ones, as None
                positional.arguments[name] = kwargs.pop(name)
            return run(*positional.args, **kwargs)

        return filled

    return decorate
