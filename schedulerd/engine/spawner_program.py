"""The spawner as a program."""

from schedulerd.garbage import look_for_no_garbage


def main() -> None:
    """Take requests until the daemon lets go of it and the last run has ended."""
    look_for_no_garbage()  # before the rest is loaded; the spawner looks for it again
    from schedulerd.engine import spawner

    spawner.main()


if __name__ == "__main__":
    main()
