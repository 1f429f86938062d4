"""A crontab as the text of a schedule file that means the same. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from schedulerd.domain.durations import duration_text
from schedulerd.domain.schedules import Cron, Policies, ScheduleDefinition
from schedulerd.domain.toml_writing import assignment
from schedulerd.errors import BadDefinition
from schedulerd.watch.crontab_lines import Remark
from schedulerd.watch.crontabs import Crontab, Held, Line

_CONTROLS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


def schedule_file_text(crontab: Crontab, *, head: str) -> str:
    """The schedules of its good lines, each below its comments and its line; what is left out stands in a comment."""
    lines = [f"# {head}", ""]
    for line in crontab.lines:
        lines += _told(line)
    return "\n".join(_without_gaps(lines)) + "\n"


def _told(line: Line) -> Sequence[str]:
    match line.said:
        case Remark(text=text):
            return [_comment(text)]
        case ScheduleDefinition() as definition:
            return [_comment(f"# line {line.number}: {line.source.strip()}"), *_entry(definition), ""]
        case BadDefinition(reason=reason):
            told = [f"# left out: line {line.number}: {reason}".splitlines()[0], f"#   {line.source.strip()}"]
            return [*map(_comment, told), ""]
        case Held(by=by):
            told = [
                f"# left out, for what is wrong on line {by}: line {line.number}",
                f"#   {line.source.strip()}",
            ]
            return [*map(_comment, told), ""]
        case _:
            return []  # variables and directives are keys of each schedule


def _without_gaps(lines: Sequence[str]) -> Iterator[str]:
    """One blank line in place of several, and none at the end."""
    while lines and not lines[-1]:
        lines = lines[:-1]
    return (line for number, line in enumerate(lines) if line or (number and lines[number - 1]))


def _entry(definition: ScheduleDefinition) -> list[str]:
    return ["[[schedule]]", *(assignment(key, value) for key, value in schedule_keys(definition).items())]


def schedule_keys(definition: ScheduleDefinition) -> Mapping[str, Any]:
    """The keys of a line's schedule that say more than nothing; the zone and the policies are given whatever the defaults are."""
    when = definition.when
    policies, usual = definition.policies, Policies()
    is_by_time = isinstance(when, Cron)
    keys = {
        "name": definition.name,
        "command": definition.command,
        "cron": when.expression if isinstance(when, Cron) else "@reboot",
        "timezone": when.timezone,
        "jitter": duration_text(definition.jitter) if definition.jitter else "",
        "environment": definition.environment,
        "stdin": definition.stdin,
        "mail_to": definition.mail_to,
        "catchup": policies.catchup.value if is_by_time or policies.catchup is not usual.catchup else "",
        "overlap": policies.overlap.value,
    }
    return {key: value for key, value in keys.items() if value}


def _comment(text: str) -> str:
    """The text as TOML lets a comment be."""
    return _CONTROLS.sub("\ufffd", text)
