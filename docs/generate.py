"""Writes `docs/reference/` from the code: `make docs`. With `--check` it writes nothing, and fails where a page is old."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import click
from click.testing import CliRunner

from docs.api_page import api_page
from docs.prefect_names import names_page
from docs.run_filters import run_filters_page
from docs.schedule_keys import EXAMPLE, KEY_MEANINGS
from schedulerd import errors
from schedulerd.authoring.hooks import ENDS
from schedulerd.cli.errors import CODES, MEANINGS
from schedulerd.cli.help import help_
from schedulerd.cli.root import root
from schedulerd.config.reading import Setting, settings_of
from schedulerd.config.settings import PREFIX, Settings
from schedulerd.domain.durations import duration_text
from schedulerd.domain.runs import SkipReason, Trigger
from schedulerd.domain.schedule_values import KEYS
from schedulerd.domain.sizes import Bytes, size_text
from schedulerd.domain.states import FINAL, LIVE, MOVES, RunState, TaskState

FOLDER: Final = Path(__file__).parent / "reference"
NOTE: Final = "<!-- Generated from the code by `make docs`; do not edit. -->"


def pages() -> dict[str, str]:
    """The reference: the name of each page, and its text."""
    made = {
        "cli.md": cli_page(),
        "config.md": config_page(),
        "schedule-files.md": schedule_files_page(),
        "states.md": states_page(),
        "exit-codes.md": exit_codes_page(),
        "names.md": names_page(),
        "run-filters.md": run_filters_page(),
        "api.md": api_page(),
    }
    return {name: f"{NOTE}\n\n{text.strip()}\n" for name, text in made.items()}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` name those that differ; the exit status."""
    if "--check" in arguments:
        old = [name for name, text in pages().items() if not is_current(name, text)]
        for name in old:
            print(f"docs/reference/{name} is not what the code says: run `make docs`", file=sys.stderr)
        return 1 if old else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    return 0


def is_current(name: str, text: str) -> bool:
    """Is the page on disk this text?"""
    page = FOLDER / name
    return page.exists() and page.read_text() == text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# -- the command line ---------------------------------------------------------------------------------------------


def commands(
    command: click.Command = root, path: tuple[str, ...] = ("schedulerd",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is shown, with the words that call it; a group before what is in it."""
    yield path, command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command, info_name=path[-1])
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None and not below.hidden:
            yield from commands(below, (*path, name))


def cli_page() -> str:
    """Every command with its arguments and options."""
    return "\n\n".join(
        [
            "# The command line",
            "Data goes to stdout, everything else to stderr. Every command takes the global options, before or after "
            "its name. How a command ended is told by its [exit code](exit-codes.md).",
            *(command_section(path, command) for path, command in commands()),
            *(f"## {title}\n\n```text\n{topic(name)}\n```" for name, title in TOPICS.items()),
        ]
    )


# The other topic, exit codes, is a page of its own.
TOPICS: Final = {
    "selectors": "How a run is named",
    "filters": "How lists of runs are narrowed",
    "time": "How times are written",
}


def topic(name: str) -> str:
    """What `schedulerd help` says about it."""
    return CliRunner().invoke(help_, [name], catch_exceptions=False).stdout.strip()


def command_section(path: tuple[str, ...], command: click.Command) -> str:
    """One command."""
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join([" ".join(path), *command.collect_usage_pieces(context)])
    parts = [f"{'##' if len(path) < 3 else '###'} `{' '.join(path)}`"]
    if len(path) == 1:
        parts += ["The program, with the options that every command takes.", options_table(command, context)]
        return "\n\n".join(parts)
    parts += [plain(command.help or command.short_help or ""), f"```text\n{usage}\n```"]
    parts.append(options_table(command, context))
    return "\n\n".join(part for part in parts if part)


def options_table(command: click.Command, context: click.Context) -> str:
    """The options of a command; the global ones and `--help` are shown with the program only."""
    shown = [one for one in command.get_params(context) if isinstance(one, click.Option) and not one.hidden]
    shown = [one for one in shown if "--help" not in one.opts]
    if command is not root:
        shared = {one.name for one in root.params}
        shown = [one for one in shown if one.name not in shared]
    rows = [(option_names(one), plain(one.help or "") + default_note(one)) for one in shown]
    if command is root:
        rows.append(("`-h, --help`", "Show what a command does and takes."))
    return table(("option", "meaning"), rows) if rows else ""


def option_names(option: click.Option) -> str:
    """`-n, --lines N`."""
    value = "" if option.is_flag or option.count else " " + value_name(option)
    names = ", ".join(sorted(option.opts, key=len)) + value
    negative = f" / {', '.join(option.secondary_opts)}" if option.secondary_opts else ""
    return f"`{names}{negative}`"


def value_name(option: click.Option) -> str:
    """What stands for the value of an option."""
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(str(choice) for choice in option.type.choices)
    if isinstance(option.type, click.IntRange | type(click.INT)):
        return "N"
    return option.type.name.upper()


def default_note(option: click.Option) -> str:
    """The default, where help shows it too."""
    if not option.show_default or option.default is None:
        return ""
    return f" Default: {option.show_default if isinstance(option.show_default, str) else option.default}."


def plain(text: str) -> str:
    """Help as running text: click's mark for paragraphs that are not to be wrapped taken out."""
    return cleandoc(text).replace("\b\n", "").strip()


def exit_codes_page() -> str:
    """The table of exit codes, and the errors that lead to each."""
    causes: dict[int, list[str]] = {code: [] for code in MEANINGS}
    for kind in our_errors():
        causes[code_of_kind(kind)].append(f"`{kind.__name__}`")
    rows = [(str(code), meaning, ", ".join(causes[code])) for code, meaning in MEANINGS.items()]
    return "\n\n".join(
        [
            "# Exit codes",
            "These are a contract: scripts may rely on them. The errors are classes of `schedulerd/errors.py`.",
            table(("code", "meaning", "errors"), rows),
        ]
    )


def our_errors() -> list[type[errors.SchedulerdError]]:
    """Every error of the tree, in the order of the file."""
    return [
        one
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, errors.SchedulerdError)
    ]


def code_of_kind(kind: type[BaseException]) -> int:
    """The exit code that an error of this kind ends the program with."""
    return next(code for base, code in CODES.items() if issubclass(kind, base))


# -- settings and schedule files ----------------------------------------------------------------------------------


def config_page() -> str:
    """Every setting with its variable, default and meaning."""
    settings = settings_of(Settings)
    top = {name: one for name, one in settings.items() if one.section is None}
    parts = [
        "# Settings",
        "`config/schedulerd.toml`, or the file that `--config` or `SCHEDULERD_CONFIG` names, else "
        "`/etc/schedulerd/schedulerd.toml`. A variable of the environment wins over the file. Relative paths are "
        "relative to the folder that holds `config/` (else to the folder of the file). Durations are written like "
        "`45s`, `15m`, `1h30m`. In the environment folders are separated by `:`, modules by `,`. An unknown name is "
        "an error.",
        "The settings are read when the daemon starts; `schedulerd reload` reads flows and schedules anew, not these.",
        settings_table(top, PREFIX),
    ]
    for name, one in settings.items():
        if one.section is not None:
            parts += [f"## `[[{name}]]`" if one.is_list else f"## `[{name}]`", one.description]
            prefix = None if one.is_list else f"{PREFIX}{name.upper()}__"
            parts.append(settings_table(settings_of(one.section), prefix))
    return "\n\n".join(parts)


def settings_table(settings: Mapping[str, Setting], prefix: str | None) -> str:
    """The settings of one section; those without a `prefix` are no variables."""
    if prefix is None:
        told = [(f"`{name}`", f"`{as_toml(one.default)}`", one.description) for name, one in settings.items()]
        return table(("setting", "default", "meaning"), told)
    rows = [
        (f"`{name}`", f"`{prefix}{name.upper()}`", f"`{as_toml(one.default)}`", one.description)
        for name, one in settings.items()
    ]
    return table(("setting", "variable", "default", "meaning"), rows)


def as_toml(value: Any) -> str:
    """A default as one would write it in the file."""
    match value:
        case None:
            return "not set"
        case bool():
            return str(value).lower()
        case Bytes():
            return f'"{size_text(value)}"'
        case int():
            return str(value)
        case timedelta():
            return f'"{duration_text(value)}"'
        case tuple():
            return f"[{', '.join(as_toml(one) for one in value)}]"
        case dict():
            return f"{{{', '.join(f'{name} = {as_toml(one)}' for name, one in value.items())}}}"
        case Enum():
            return f'"{value.value}"'
        case _:
            return f'"{value}"'


def schedule_files_page() -> str:
    """The keys of a `[[schedule]]`."""
    return "\n\n".join(
        [
            "# Schedule files",
            "Every `*.toml` directly in the folder `config/schedules/` (setting `schedules`) is read; each `[[schedule]]` "
            "in it is a schedule. A change is in force within two seconds. A mistake is reported with its line, by "
            "`schedulerd validate`, `schedulerd status` and the daemon's log, and costs only the schedule it stands "
            "in: the last good version of that one stays in force.",
            table(("key", "meaning"), [(f"`{key}`", KEY_MEANINGS[key]) for key in KEYS]),
            f"```toml\n{EXAMPLE}```",
        ]
    )


# -- states -------------------------------------------------------------------------------------------------------

STATE_MEANINGS: Final[Mapping[RunState, str]] = {
    RunState.SCHEDULED: "it is to start at its due time, or waits for a slot",
    RunState.PENDING: "it has been claimed, and its process is being started",
    RunState.RUNNING: "its process runs",
    RunState.RETRYING: "an attempt of it ended badly, and it is to be tried again",
    RunState.PAUSED: "it waits for somebody: an approval, or what was asked of a person",
    RunState.CANCELLING: "it was told to end, and is ending",
    RunState.COMPLETED: "it ended as it should",
    RunState.FAILED: "user code raised, or a command ended with a status other than 0",
    RunState.TIMED_OUT: "it was ended at its time limit, or used up its processor time",
    RunState.CRASHED: "its process went away without a last record; its exit status or signal is kept",
    RunState.CANCELLED: "it was cancelled",
    RunState.SKIPPED: "its due time did not become a run; the reason is kept",
}
TASK_MEANINGS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "it is to run",
    TaskState.RUNNING: "it runs",
    TaskState.RETRYING: "it failed, and is to be tried again",
    TaskState.COMPLETED: "it returned",
    TaskState.CACHED: "a stored result was taken",
    TaskState.FAILED: "it raised",
    TaskState.TIMED_OUT: "its run was ended at its time limit while it ran",
    TaskState.CRASHED: "its process went away while it ran",
    TaskState.CANCELLED: "its run was cancelled while it ran",
    TaskState.SKIPPED: "it was left out: a branch not taken, or by a signal",
    TaskState.UPSTREAM_FAILED: "a task that it needs did not complete",
}
SKIP_MEANINGS: Final[Mapping[SkipReason, str]] = {
    SkipReason.OVERLAP: 'an earlier run of the schedule was still running (`overlap = "skip"`)',
    SkipReason.COALESCED: 'a newer missed time runs in its place (`catchup = "latest"`)',
    SkipReason.MISFIRE: 'it was missed, and is not made up for (`catchup = "none"`, or a single time that was past when '
    "it was first seen)",
    SkipReason.PAUSED: "the schedule was paused",
    SkipReason.WINDOW: "it was missed longer ago than `catchup_window`",
    SkipReason.LIMIT: "more were missed than `catchup_limit`",
    SkipReason.BLACKOUT: "it lay in a `blackout` of the schedule",
    SkipReason.EDITED: "it had not been decided yet when the schedule was edited, and an edited one looks forward",
    SkipReason.REMOVED: "it had not been decided yet when the schedule was removed",
    SkipReason.QUEUE_FULL: 'as many runs as `queue_limit` were waiting already (`overlap = "queue"`)',
    SkipReason.REPLACED: 'a newer one came while it waited (`overlap = "replace"`)',
}
TRIGGER_MEANINGS: Final[Mapping[Trigger, str]] = {
    Trigger.SCHEDULE: "a schedule was due",
    Trigger.MANUAL: "somebody asked for it: `schedulerd run`",
    Trigger.FLOW: "the code of another run asked for it: `run_deployment()`",
    Trigger.CRONTAB: "a line of a crontab file was due",
    Trigger.AFTER: "a run of another flow ended",
    Trigger.FILE: "a file appeared",
    Trigger.WEBHOOK: "its webhook was called",
}


def states_page() -> str:
    """The states, and which may follow which."""
    rows = [
        (f"`{state}`", kind_of(state), STATE_MEANINGS[state], listed(MOVES[state], RunState))
        for state in RunState
    ]
    return "\n\n".join(
        [
            "# States",
            "The table of moves is one constant, `MOVES` in `schedulerd/domain/states.py`; the store refuses any other "
            "move in the same statement that makes it. Each move is kept with its time, who made it and why "
            "(`schedulerd runs show`).",
            "## Runs",
            table(("state", "kind", "meaning", "may become"), rows),
            "A *live* run holds a place (see `max_running` and `pools` of the [settings](config.md)) and may have a process. A *final* one never changes again, unless a person has it tried again.",
            "When a run has come to a final state, the [hooks](../howto/write-a-flow.md#hooks) that its flow has for it are "
            "called, once, in a process of their own: "
            + "; ".join(
                f"`{name}` for {listed(map(RunState, words), RunState)}" for name, words in ENDS.items()
            )
            + ".",
            "## Tasks",
            table(("state", "meaning"), [(f"`{state}`", TASK_MEANINGS[state]) for state in TaskState]),
            "## Why a due time was skipped",
            table(("reason", "meaning"), [(f"`{reason}`", SKIP_MEANINGS[reason]) for reason in SkipReason]),
            "When more than 1,000 times of one schedule are skipped at once, they are one row for each reason, with "
            "their number and the first and last of them.",
            "## What asked for a run",
            table(("trigger", "meaning"), [(f"`{one}`", TRIGGER_MEANINGS[one]) for one in Trigger]),
        ]
    )


def kind_of(state: RunState) -> str:
    """Live, final or neither."""
    if state in LIVE:
        return "live"
    return "final" if state in FINAL else "waiting"


def listed(states: Iterable[RunState], order: Iterable[RunState]) -> str:
    """States in the order in which they are declared."""
    wanted = frozenset(states)
    return ", ".join(f"`{state}`" for state in order if state in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
