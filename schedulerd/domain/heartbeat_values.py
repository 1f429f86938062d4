"""What a table says of the monitors that are told of its runs. A complaint never shows a URL. Pure."""

from typing import Final

from schedulerd.domain.entries import Entry
from schedulerd.domain.heartbeats import Beat, Heartbeat

_EXAMPLE: Final = 'heartbeat = "https://hc-ping.com/uuid"'
_LONGEST: Final = 2_000


def heartbeat_of(entry: Entry) -> Heartbeat | None:
    """What a schedule says of it, one URL for success, or a table. Raises `BadEntry`."""
    if not entry.has("heartbeat"):
        return None
    value = entry.values["heartbeat"]
    table = value if isinstance(value, dict) else {Beat.SUCCESS.value: value}
    for key in table:
        if key not in list(Beat):
            named = repr(key) if key.isidentifier() else "other keys"  # which may be the URL itself
            raise entry.wrong("heartbeat", f"`heartbeat` has {', '.join(Beat)}, and no {named}")
    if not table:
        raise entry.wrong("heartbeat", "`heartbeat` is empty", mend=f"write {_EXAMPLE}")
    return Heartbeat(**{key: _url(entry, url) for key, url in table.items()})


def _url(entry: Entry, url: object) -> str:
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "${")):
        raise entry.wrong(
            "heartbeat", f"`heartbeat` must be a URL with http:// or https://, as in {_EXAMPLE}"
        )
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST:
        raise entry.wrong("heartbeat", f"`heartbeat` must be a URL of at most {_LONGEST} plain characters")
    return url
