"""What flows and tasks that have hooks share: they are given as options, or registered as decorators."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from schedulerd.authoring.hooks import Hooks

    Hook = Callable[..., Any]
    Given = Hook | Iterable[Hook] | None

OF_TASKS = ("on_running", "on_completion", "on_failure")
OF_FLOWS = (*OF_TASKS, "on_cancellation", "on_crashed")


class Hooked:
    """Something with hooks, which are called with itself, its run, and the state that it came to."""

    hooks: Hooks | None = None

    def on_running(self, hook: Hook) -> Hook:
        """Call this when an attempt begins: `@my_flow.on_running`."""
        return self._hooked("on_running", hook)

    def on_completion(self, hook: Hook) -> Hook:
        """Call this when it has completed."""
        return self._hooked("on_completion", hook)

    def on_failure(self, hook: Hook) -> Hook:
        """Call this when it has failed, and is not tried again."""
        return self._hooked("on_failure", hook)

    def _hooked(self, name: str, hook: Hook) -> Hook:
        from schedulerd.authoring.hooks import Hooks

        self.hooks = self.hooks or Hooks()
        self.hooks.add(name, hook)
        return hook


def hooks_of(given: Mapping[str, Any]) -> Hooks | None:
    """The hooks that these options give; None where they give none."""
    if all(value is None for value in given.values()):
        return None
    from schedulerd.authoring.hooks import Hooks  # late: few flows and tasks have hooks

    return Hooks.of(given)


def task_hooks_in(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a task that are hooks, taken out of these.

    A function alone as `on_failure` is Prefect 1's, which is called with the task and its state only.
    """
    names = [
        name
        for name in OF_TASKS
        if name in options and (name != "on_failure" or isinstance(options[name], list | tuple))
    ]
    return {name: options.pop(name) for name in names}
