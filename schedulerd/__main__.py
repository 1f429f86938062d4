"""The program `schedulerd`: the daemon and its client."""

import sys

from schedulerd.cli.root import root


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # a log line may hold what the terminal's encoding does not have
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    root.main(prog_name="schedulerd")


if __name__ == "__main__":
    main()
