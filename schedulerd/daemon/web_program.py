"""The web process as a program: it is given the readers of definitions, which the web itself does not know."""

from schedulerd import garbage


def main() -> None:
    """Serve until the daemon lets go of it."""
    garbage.look_for_none()  # before the rest is loaded; `settle` looks for it again
    from schedulerd.daemon.definition_reader import places_of
    from schedulerd.web.program import serve

    serve(places_of)


if __name__ == "__main__":
    main()
