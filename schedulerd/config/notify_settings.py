"""A `[[notify]]` of the settings: who is told of what. Its URLs are secrets, and are shown nowhere."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from schedulerd.config.reading import BadValue, Misfit, each, setting, table
from schedulerd.config.values import duration, factor, folder, text, whole_number
from schedulerd.domain.notices import USUAL, NoticeKind, NoticeRule
from schedulerd.errors import BadDefinition

_USUAL: Final = NoticeRule(name="")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.+")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,50}")
_MAX_FILE_BYTES: Final = 1 << 16
_READABLE_BY_OTHERS: Final = 0o004


def _kind(value: object) -> NoticeKind:
    known = [kind.value for kind in NoticeKind if kind is not NoticeKind.TEST]
    if value not in known:
        raise ValueError(f"must have some of {', '.join(known)}, and {value!r} is none of them")
    return NoticeKind(str(value))


def _name(value: object) -> str:
    if not _NAME.fullmatch(text(value)):
        raise ValueError("must be a name of letters, digits, `-`, `_` and `.`")
    return text(value)


def _url(value: object) -> str:
    url = text(value)
    if not _VARIABLE.search(url) and not _URL.fullmatch(url):
        # never the value itself: it is a secret
        raise ValueError('must be URLs as Apprise has them, such as "mailto://user:password@example.com"')
    return url


@dataclass(frozen=True, kw_only=True, slots=True)
class NotifySettings:
    """Who is told of what."""

    name: str | None = setting(
        _name,
        default=None,
        description="Its name, under which it is remembered and logged. Not given: `notify-1` and so on.",
    )
    on: tuple[NoticeKind, ...] = setting(
        each(_kind, least=1),
        default=tuple(kind for kind in NoticeKind if kind in USUAL),
        description="Of what it tells: "
        + ", ".join(f"`{kind}`" for kind in NoticeKind if kind is not NoticeKind.TEST)
        + ".",
    )
    flows: tuple[str, ...] = setting(
        each(text, least=1),
        default=_USUAL.flows,
        description='Of which flows: names, or patterns such as `"etl-*"`.',
    )
    tags: tuple[str, ...] = setting(
        each(text), default=(), description="Only of flows that have one of these tags. Not given: of all."
    )
    urls: tuple[str, ...] = setting(
        each(_url),
        default=(),
        is_secret=True,
        description="Where to: URLs as [Apprise](https://github.com/caronc/apprise/wiki) has them. In `${NAME}` a variable "
        "of the daemon's environment is put; those that begin with `SCHEDULERD_NOTIFY_` are not handed on to runs.",
    )
    urls_file: Path | None = setting(
        folder,
        default=None,
        description="A file of such URLs, one a line, that others may not read. It is read anew for each message.",
    )
    group: timedelta = setting(
        duration, default=_USUAL.group, description="What happens within so long is told in one message."
    )
    limit: int = setting(
        whole_number(least=1),
        default=_USUAL.limit,
        description="At most so many messages in an hour; what more happens is told, in short, in the next one.",
    )
    late_after: timedelta = setting(
        duration,
        default=_USUAL.late_after,
        description="A run is `late` that has not started so long after its due time.",
    )
    slow_factor: float = setting(
        factor(least=1.0),
        default=_USUAL.slow_factor,
        description="A run is `slow` that takes so many times as long as the completed runs of its flow usually do (their "
        "median; there must be 10 of them).",
    )
    slow_least: timedelta = setting(
        duration, default=_USUAL.slow_least, description="No run is `slow` that has not taken so long."
    )
    log_lines: int = setting(
        whole_number(least=0, most=100),
        default=_USUAL.log_lines,
        description="So many of the last lines of its log are shown of a run that ended badly. 0: none.",
    )

    def __post_init__(self) -> None:
        """Raise `ValueError` where there is no address."""
        if not self.urls and self.urls_file is None:
            raise ValueError("has neither `urls` nor `urls_file`: nobody would be told")

    def rule(self, *, usual_name: str) -> NoticeRule:
        """What it says, without where to."""
        return NoticeRule(
            name=self.name or usual_name,
            on=frozenset(self.on),
            flows=self.flows,
            tags=frozenset(self.tags),
            group=self.group,
            limit=self.limit,
            late_after=self.late_after,
            slow_factor=self.slow_factor,
            slow_least=self.slow_least,
            log_lines=self.log_lines,
        )

    def addresses(self, environ: Mapping[str, str]) -> list[str]:
        """The URLs as they are now, each once. Raises `BadDefinition`, which never shows one."""
        return list(dict.fromkeys(with_variables(url, environ) for url in self.written()))

    def written(self) -> list[str]:
        """The URLs as they are written, without their variables. Raises `BadDefinition`, which never shows one."""
        written = list(self.urls)
        if self.urls_file is not None:
            written += _read(self.urls_file)
        return written


def notify_tables(value: object) -> tuple[NotifySettings, ...]:
    """Reads all of them. Each has a name of its own, under which its state is remembered."""
    if not isinstance(value, list):
        raise ValueError("must be tables with a heading of two brackets: [[notify]]")
    tables = each(table(NotifySettings))(value)
    names = [rule.name for rule in rules_of(tables)]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadValue([Misfit(reason=f"has two tables called {name!r}", path=(place,))])
    return tables


def rules_of(tables: Iterable[NotifySettings]) -> tuple[NoticeRule, ...]:
    """What they say; one without a name is called after its place."""
    return tuple(one.rule(usual_name=f"notify-{place}") for place, one in enumerate(tables, 1))


def with_variables(url: str, environ: Mapping[str, str]) -> str:
    """The URL with the variables that it names. Raises `BadDefinition` for one that is not set."""

    def value(found: re.Match[str]) -> str:
        if not environ.get(found[1]):
            raise BadDefinition(
                f"a URL names the variable {found[1]}, which is not set",
                file="the environment of the daemon",
            )
        return environ[found[1]]

    return _VARIABLE.sub(value, url)


def _read(file: Path) -> list[str]:
    try:
        with open(file, "rb") as stream:
            if os.fstat(stream.fileno()).st_mode & _READABLE_BY_OTHERS:
                raise BadDefinition("everybody may read it", file=file, mend=f"chmod 600 {file}")
            content = stream.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise BadDefinition(f"cannot be read: {error.strerror}", file=file) from error
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    for number, line in enumerate(lines, 1):
        if line in found and not _VARIABLE.search(line) and not _URL.fullmatch(line):
            raise BadDefinition("this is no URL", file=file, line=number)
    if not found:
        raise BadDefinition("there is no URL in it", file=file)
    return found
