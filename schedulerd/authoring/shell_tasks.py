"""A shell command as a task of a graph."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.signals import FAIL
from schedulerd.authoring.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_LAST_WORDS_SECONDS: Final = 0.3


class ShellTask(Task):
    """Runs a command in a shell, and returns the last line of what it prints, or with `return_all` all lines.

    stderr counts with stdout. `helper_script` runs before the command, in the same shell; `env` is besides the
    environment of the run. A status other than 0 is a failure that names it, and the last line. With `stream_output`
    each line is logged when it comes, with `log_stderr` all of them when the command failed. When its time is over, or the
    run is to end, all that the shell started is ended with it.
    """

    def __init__(
        self,
        command: str | None = None,
        env: Mapping[str, str] | None = None,
        helper_script: str | None = None,
        shell: str = "bash",
        return_all: bool = False,
        log_stderr: bool = False,
        stream_output: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.command = command
        self.env = env
        self.helper_script = helper_script
        self.shell = shell
        self.return_all = return_all
        self.log_stderr = log_stderr
        self.stream_output = stream_output

    def run(
        self,
        command: str | None = None,
        env: Mapping[str, str] | None = None,
        helper_script: str | None = None,
    ) -> Any:
        """Run the command; raises FAIL for a status other than 0."""
        command = command if command is not None else self.command
        if command is None:
            raise TypeError("ShellTask needs a command: ShellTask(command='ls'), or give it in the call")
        helper_script = helper_script if helper_script is not None else self.helper_script
        lines, status = self._lines(
            command if helper_script is None else f"{helper_script}\n{command}",
            {**os.environ, **((self.env if env is None else env) or {})},
        )
        last = lines[-1] if lines else ""
        if status != 0:
            if self.log_stderr:
                self.logger.error("\n".join(lines))
            raise FAIL(f"the command failed with exit status {status}" + (f": {last}" if last else ""))
        if self.return_all:
            return lines
        return last

    def _lines(self, script: str, environment: Mapping[str, str]) -> tuple[list[str], int]:
        lines: list[str] = []
        with subprocess.Popen(
            [self.shell, "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            encoding="utf-8",
            errors="replace",
            process_group=0,  # so that all of it can be ended
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    lines.append(line.rstrip("\n"))
                    if self.stream_output:
                        self.logger.info(lines[-1])
            except BaseException:  # the run is to end, or the task's time is over
                _end(process)
                raise
        return lines, process.returncode


def _end(process: subprocess.Popen[str]) -> None:
    """End the shell and what it started: politely, and a moment later by force."""
    try:
        _tell(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_WORDS_SECONDS)
    finally:
        _tell(process, signal.SIGKILL)  # who heeded the first is gone, and who did not is what this is for


def _tell(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, sign)
