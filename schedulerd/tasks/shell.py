"""Shell commands as tasks, under Prefect 1's name: `ShellTask(command="ls")()`."""

from schedulerd.authoring.shell_tasks import ShellTask

__all__ = ["ShellTask"]
