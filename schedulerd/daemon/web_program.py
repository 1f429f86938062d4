"""The web process as a program: it is given the readers of definitions, which the web itself does not know."""

from schedulerd.garbage import look_for_no_garbage


def main() -> None:
    """Serve until the daemon lets go of it."""
    look_for_no_garbage()  # before the rest is loaded; `settle` looks for it again
    from schedulerd.daemon.definition_reader import places_of
    from schedulerd.web.program import serve

    serve(places_of)


if __name__ == "__main__":
    main()
