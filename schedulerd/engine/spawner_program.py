"""The spawner as a program."""

from schedulerd import garbage


def main() -> None:
    """Take requests until the daemon lets go of it and the last run has ended."""
    garbage.look_for_none()  # before the rest is loaded; the spawner looks for it again
    from schedulerd.engine import spawner

    spawner.main()


if __name__ == "__main__":
    main()
