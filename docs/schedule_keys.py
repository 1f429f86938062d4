"""What the keys of a `[[schedule]]` mean, for the page that `docs/generate.py` writes."""

from collections.abc import Mapping
from typing import Final

from schedulerd.domain.durations import duration_text
from schedulerd.domain.pools import PRIORITY_RANGE
from schedulerd.domain.schedules import BlackoutAction, Catchup, Overlap, Policies

USUAL: Final = Policies()
KEY_MEANINGS: Final[Mapping[str, str]] = {
    "name": "Its name, unique over all files; the history is kept under it. Required.",
    "flow": "The name of the flow to run. Either this or `command`.",
    "command": "A command for `/bin/sh -c`, recorded as a run of a flow that has the schedule's name.",
    "parameters": 'What the flow is given: `{ region = "kr", rows = 100 }`. Unknown and missing ones are an error. A '
    "command has none.",
    "after": "The name of a flow, or a list: runs once for each run of it that has ended. See "
    "[run after another flow](../howto/triggers.md). Chains that come back to their beginning are refused.",
    "states": "In which states that run has to have ended: a list of `completed`, `failed`, `timed_out`, `crashed`, "
    '`cancelled`. Default: `["completed"]`.',
    "file": 'The whole path of a file, with wildcards in its last part, such as `"/inbox/*.csv"`: runs once for each file '
    "that appears and is complete (the same for half a second). See [when a file appears](../howto/triggers.md).",
    "webhook": "A name: runs once for each call of `POST /api/v1/hooks/NAME` that shows the secret. See "
    "[when it is called](../howto/triggers.md#when-it-is-called).",
    "secret": "The name of the secret that a call of the `webhook` has to show (`schedulerd secrets set NAME`); never the "
    "secret itself.",
    "parameter": "The parameter of the flow that is given the path of the file. Default: `path`. A command finds it in "
    "`$SCHEDULERD_FILE`. With `webhook` the one that is given the body of the call, or `*`: each member of the body is the "
    "parameter of its name. Default: the body is not looked at.",
    "user": "The user that the command runs as. Needs a daemon that runs as root; see "
    "[run as another user](../howto/run-as-another-user.md).",
    "environment": 'Variables for the command, besides those of the daemon: `{ PATH = "/usr/bin:/bin" }`. With a `HOME` and '
    "no `directory` it begins in that folder, with a `SHELL` it is run by that program. No place for secrets: they "
    "belong into an `env_file`.",
    "env_file": "A file of variables, read when the command starts and kept nowhere: "
    "[its syntax](../howto/limit-runs.md#variables-from-a-file). What `environment` says goes before it. A relative path "
    "is relative to `directory` of the [settings](config.md).",
    "directory": "Where the command works; a relative path is relative to `directory` of the [settings](config.md), "
    "which is also the default.",
    "umask": 'Which permissions are taken from the files that it makes, three octal digits: `"027"`.',
    "leave_children": "`true`: processes that the command leaves behind when it ends by itself may go on. Default: they "
    "are ended.",
    "nice": "How nice it is to other processes, from -20 to 19, the nicest. Below 0 only a daemon that is root can go.",
    "memory": 'How much writable memory of its own each process may have: `"512MB"`, or `"unlimited"`. See '
    "[limit runs](../howto/limit-runs.md).",
    "cpu_time": 'How much processor time each process may use: `"10m"`, or `"unlimited"`. Then it is `timed_out`.',
    "open_files": "How many files each process may have open.",
    "timeout": 'How long the command may take: `"10m"`, or `"unlimited"`. Then it is `timed_out`. Default of this and the '
    "four above: `[limits]` of the [settings](config.md).",
    "retries": "How often the command is tried again when it failed or timed out. Default: never. A flow says it in its "
    "file: `@flow(retries=3)`.",
    "retry_delay": 'After how long: `"10s"`, or a list such as `["10s", "1m"]`, of which the last is repeated. Default: at '
    "once.",
    "retry_on_crash": "`true`: also when it crashed, that is when its process was killed, after it may have done anything.",
    "stdin": "What the command reads.",
    "mail_to": "Where the output of the command is mailed when it has ended, as cron's MAILTO: addresses with commas.",
    "enabled": "`false` keeps the schedule and does not run it. Default: `true`.",
    "cron": 'A cron expression: `"0 6 * * *"`, or `"@reboot"` for once at each start of the machine. One of `cron`, '
    "`every`, `at` and `rrule` is needed. See [time](../explanation/time.md).",
    "every": 'An interval: `"15m"`, counted from when the schedule was first seen, or from `anchor`. Whole days follow the '
    "clock on the wall.",
    "at": 'One local time: `"2026-12-01T09:00"`.',
    "rrule": 'A recurrence rule (RFC 5545): `"FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=18;BYMINUTE=0"`.',
    "timezone": "The time zone of all local times of the schedule. Default: `timezone` of the [settings](config.md).",
    "day_match": "Where `cron` restricts both day fields: `either` or `both`. Default: cron's rule, see "
    "[time](../explanation/time.md).",
    "anchor": 'For `every` and `rrule`: the local time that they count from, `"2026-01-01T06:00"`. It is a phase and not a '
    "start. For `every` it may have an offset.",
    "start": 'It is not due before this local time: `"2026-12-01T09:00"`, or `"2026-12-01"` for the midnight with which that '
    "day begins.",
    "end": "It is not due after this local time; a date alone is meant with the whole day.",
    "jitter": 'Each due time is delayed by up to so much, always alike for the same time: `"5m"`.',
    "blackout": 'When it must not start: a list of tables, each with one of `{ cron = "0 22 * * 5", duration = "2d8h" }`, '
    '`{ from = "2026-12-24T12:00", to = "2026-12-27" }`, `{ dates = ["2026-12-31"] }`, `{ calendar = "closed.ics" }` and '
    '`{ holidays = "DE-BY" }`. See [schedule a flow](../howto/schedule-a-flow.md).',
    "blackout_action": "What becomes of a time in a `blackout`: "
    f"{', '.join(f'`{one}`' for one in BlackoutAction)}. Default: `{BlackoutAction.SKIP}`.",
    "catchup": f"What becomes of times that were missed: {', '.join(f'`{one}`' for one in Catchup)}. "
    f"Default: `{USUAL.catchup}`.",
    "catchup_limit": f"How many missed times `all` makes up for, the oldest first. Default: `{USUAL.catchup_limit}`.",
    "catchup_window": f'How far back missed times are made up for. Default: `"{duration_text(USUAL.catchup_window)}"`.',
    "misfire_grace": "How late a time is still on time, and no business of `catchup`. Default: "
    f'`"{duration_text(USUAL.misfire_grace)}"`.',
    "overlap": "What becomes of a time at which the last run of this schedule still runs: "
    f"{', '.join(f'`{one}`' for one in Overlap)}. Default: `{USUAL.overlap}`.",
    "pool": "A pool of the [settings](config.md): its runs take a place in it, and wait while all are taken. For a `flow` "
    "in place of the flow's own.",
    "priority": f"Of runs that wait, those with a higher one start first: {PRIORITY_RANGE}. For a `flow` in place of the "
    "flow's own. Default: `0`.",
    "max_running": "How many runs of the `command` may be live at the same time. A flow says it in its file.",
    "heartbeat": "A URL of a monitor outside that is called when a run has completed, or a table: "
    '`{ start = "...", success = "...", failure = "..." }`. In `${NAME}` a variable of the daemon\'s environment is put. It is '
    "a secret, and shown nowhere. See [tell a monitor](../howto/notifications.md#tell-a-monitor).",
    "queue_limit": f'How many runs may wait with `overlap = "queue"`. Default: `{USUAL.queue_limit}`.',
}

EXAMPLE: Final = """\
[[schedule]]
name = "etl-morning"
flow = "ETL-pipeline"
cron = "0 6 * * *"
timezone = "Asia/Seoul"
start = "2026-12-01"
jitter = "5m"
blackout = [
  { holidays = "KR" },
  { from = "2026-12-24T12:00", to = "2026-12-27" },
]
overlap = "queue"
queue_limit = 2
"""
