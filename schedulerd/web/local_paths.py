"""Where to go on after a form, as a client says it: never another server."""

from urllib.parse import urlsplit


def local_path(wanted: str) -> str:
    """The address if it is one of this server, as a path; else `/`.

    Browsers read a backslash as a slash, and drop tabs and line ends: with any of them it is none of ours.
    """
    parts = urlsplit(wanted) if wanted.isprintable() else None
    is_ours = (
        parts is not None
        and not parts.scheme
        and not parts.netloc
        and wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
    )
    return wanted if is_ours else "/"
