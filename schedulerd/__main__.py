"""The program `schedulerd`: the daemon and its client."""

import os
import sys

from schedulerd.garbage import leave_all_garbage, look_for_no_garbage


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    look_for_no_garbage()  # a command has ended before there is much; what stays looks again
    try:
        _run()
    finally:
        leave_all_garbage()


def _run() -> None:
    from schedulerd.cli.root import root  # while nobody looks for garbage

    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # a log line may hold what the terminal's encoding does not have
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    root.main(prog_name="schedulerd")


def _open_what_is_closed() -> None:
    """Have stdin, stdout and stderr lead nowhere where the caller closed them (`>&-`).

    Their numbers are taken first: else the next file that is opened, the database's too, would be given one, and a
    child's output would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115  open until the end
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    main()
