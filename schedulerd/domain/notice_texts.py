"""The words of messages: what happened, why, and where to look. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from schedulerd.domain.notices import Notice, NoticeKind
from schedulerd.domain.runs import Run

MOST_TOLD: Final = 10
"""So many notices of a message are told one by one; the others are counted."""

MOST_WITH_LOG: Final = 3
LONGEST_BODY: Final = 16_000

_LONGEST_LINE: Final = 500
_SAID: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.TIMED_OUT: "timed out",
    NoticeKind.RETRYING: "ended badly, and is tried again",
    NoticeKind.PAUSED: "waits for somebody",
    NoticeKind.RECOVERED: "completed again",
    NoticeKind.MISSED: "missed",
    NoticeKind.LATE: "is late",
    NoticeKind.SLOW: "takes unusually long",
    NoticeKind.BROKEN: "has errors",
    NoticeKind.MENDED: "is good again",
    NoticeKind.TROUBLE: "trouble",
    NoticeKind.TEST: "test",
}
# Where to look for more.
_LOOK: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.MISSED: "schedulerd runs list --state skipped",
    NoticeKind.BROKEN: "schedulerd validate",
    NoticeKind.TROUBLE: "schedulerd status",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A notice with what is known of its run now, and the last lines of its log."""

    notice: Notice
    run: Run | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A message."""

    title: str
    body: str


def message(
    told: Sequence[Told], counts: Mapping[NoticeKind, int], *, host: str, zone: tzinfo, held: bool = False
) -> Words:
    """The message about what is told, which is the beginning of what there is: `counts` of each kind.

    `held`: it waited for the limit of its rule.
    """
    total = sum(counts.values())
    title = _headline(told[0].notice) if total == 1 else _counted(counts)
    parts = [_paragraph(one, zone=zone) for one in told]
    more = Counter(counts)
    more.subtract(Counter(one.notice.kind for one in told))
    if (left := total - len(told)) > 0:
        kept = " were held back, for the limit of messages in an hour" if held else ""
        parts.append(f"{left:,} more{kept}: {_counted({k: n for k, n in more.items() if n > 0})}")
    return Words(title=f"[schedulerd@{host}] {title}", body=_cut("\n\n".join(parts)))


def _headline(notice: Notice) -> str:
    if notice.kind is NoticeKind.TROUBLE:
        return _line(notice.words)
    return f"{_line(notice.subject)} {said(notice.kind)}"


def said(kind: NoticeKind) -> str:
    """The kind in words that follow what it happened to."""
    return _SAID.get(kind, kind.value)


def _counted(counts: Mapping[NoticeKind, int]) -> str:
    """`3 failed, 1 missed`: the kinds in the order in which they are declared."""
    names = {NoticeKind.RETRYING: "tried again", NoticeKind.LATE: "late", NoticeKind.SLOW: "slow"}
    plain = {NoticeKind.TIMED_OUT: "timed out", **names}
    return ", ".join(
        f"{counts[kind]:,} {plain.get(kind, kind.value)}" for kind in NoticeKind if counts.get(kind)
    )


def _paragraph(told: Told, *, zone: tzinfo) -> str:
    notice, run = told.notice, told.run
    why = f": {_line(notice.words)}" if notice.words else ""
    lines = [f"{_line(notice.subject)} {said(notice.kind)}{why}"]
    if notice.kind is NoticeKind.TROUBLE:
        lines = [_line(notice.words)]
    if run is not None:
        lines += _of_run(run, notice, zone=zone)
    else:
        lines.append(f"  at {time_text(notice.at, zone)}")
    look = _LOOK.get(notice.kind) or (f"schedulerd runs show {run.selector}" if run else "schedulerd status")
    lines.append(f"  look: {look}")
    if told.lines:
        lines += ["  the end of its log:", *(f"    | {_line(line)}" for line in told.lines)]
    return "\n".join(lines)


def _of_run(run: Run, notice: Notice, *, zone: tzinfo) -> list[str]:
    facts = []
    if run.schedule is not None:
        facts.append(f"schedule {_line(run.schedule)}")
    facts.append(f"due {time_text(run.due_at, zone)}")
    if run.started_at is not None:
        facts.append(f"started {time_text(run.started_at, zone)}")
        if run.ended_at is not None and run.ended_at >= run.started_at:
            facts.append(f"took {span_text(run.ended_at - run.started_at)}")
    if run.attempt > 1:
        facts.append(f"attempt {run.attempt}")
    lines = [f"  {', '.join(facts)}"]
    failure = run.failure
    if failure is not None and failure.file and notice.kind is not NoticeKind.RECOVERED:
        at = f"{failure.file}:{failure.line}" if failure.line else failure.file
        lines.append(f"  at {_line(at)}" + (f", in task {_line(failure.task)}" if failure.task else ""))
    return lines


def time_text(moment: datetime, zone: tzinfo) -> str:
    """A moment to the second, with its zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def span_text(span: timedelta) -> str:
    """A duration as one says it: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 2 h`."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, smaller, below in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {below}" if rest else "")
    return f"{whole} s"


def _line(text: str) -> str:
    """The text on one line, not too long, with nothing in it that a terminal or a mail would obey."""
    first = text.strip().partition("\n")[0]
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in first.replace("\t", " "))
    return plain if len(plain) <= _LONGEST_LINE else plain[:_LONGEST_LINE] + "…"


def _cut(body: str) -> str:
    return body if len(body) <= LONGEST_BODY else body[:LONGEST_BODY] + "\n… (the message was too long)"
