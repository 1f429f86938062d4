"""`import`: what was written for another scheduler, made into schedule files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from schedulerd.cli.commands import LazyGroup
from schedulerd.cli.errors import CHECKS_FAILED, SUCCESS
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.errors import BadDefinition, NotFound

if TYPE_CHECKING:
    from schedulerd.watch.crontabs import Crontab, Owner

_SYSTEM_CRONTAB: Final = Path("/etc/crontab")
_STDIN: Final = Path("-")

import_ = LazyGroup("import", help="Import what was written for another scheduler.")


class _Source(NamedTuple):
    """A crontab, where it is from, and what its schedules are named after unless somebody says so."""

    content: bytes
    place: str
    prefix: str


@import_.command()
@click.argument(
    "file",
    metavar="[FILE|-]",
    required=False,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--dry-run", is_flag=True, help="Show what was understood of each line, and write nothing.")
@click.option(
    "--prefix",
    metavar="NAME",
    help="What names of schedules begin with, and the name of the file; else that of FILE, or of the user.",
)
@click.option(
    "--system", is_flag=True, help="It is a crontab of the system: a user stands before each command."
)
@pass_invocation
def crontab(
    invocation: Invocation, file: Path | None, dry_run: bool, prefix: str | None, system: bool
) -> None:
    """Make a schedule file of a crontab: FILE, `-` for stdin, or else the one that `crontab -l` shows.

    It is written into the first folder of `schedules`, and never over a file that is there. Times are meant in the
    zone of --tz, else in that of the settings, where no CRON_TZ says so. A line that cannot be understood is left
    out, and ends with exit code 8.
    """
    from schedulerd.cli.crontab_pages import page, shape, told_after  # what reads crontabs, and the zones
    from schedulerd.watch.crontabs import own_account

    owner = own_account(os.geteuid())
    source = _source(file, owner, system=system)
    name = source.prefix if prefix is None else _checked_prefix(prefix)
    read = _parse(invocation, source, name, owner, system=system)
    target = _target(invocation, name)
    is_written = not dry_run and bool(read.definitions)
    if is_written:
        _write(read, source, target)
    found = shape(read, file=target if is_written else None, now=invocation.now())
    invocation.output.one(found, lambda: page(found, invocation.output), name="file")
    for line in told_after(found, target=target, dry_run=dry_run, environ=invocation.environ):
        invocation.output.say(line)
    click.get_current_context().exit(CHECKS_FAILED if found["left_out"] else SUCCESS)


def _target(invocation: Invocation, name: str) -> Path:
    folders = invocation.settings.schedules
    if not folders:
        raise BadDefinition("`schedules` names no folder", file=invocation.settings_file or "settings")
    return folders[0] / f"{name}.toml"


def _write(read: "Crontab", source: _Source, target: Path) -> None:
    from schedulerd.operations.new_files import write_new
    from schedulerd.watch.schedule_files import MAX_FILE_BYTES
    from schedulerd.watch.schedule_texts import schedule_file_text

    text = schedule_file_text(read, head=f"Made of {source.place} by `schedulerd import crontab`.")
    if len(text.encode()) > MAX_FILE_BYTES:
        reason = f"makes a schedule file of more than {MAX_FILE_BYTES} bytes, which would not be read"
        raise BadDefinition(reason, file=source.place, mend="import it in parts, with a --prefix each")
    write_new(target, text, mend="choose another name with --prefix, or move that file away")


def _parse(
    invocation: Invocation, source: _Source, prefix: str, owner: "Owner", *, system: bool
) -> "Crontab":
    from schedulerd.watch.crontab_lines import Form
    from schedulerd.watch.crontab_reading import parse_crontab
    from schedulerd.watch.crontabs import Origin
    from schedulerd.watch.schedule_files import decoded

    origin = Origin(
        path=source.place,
        prefix=prefix,
        timezone=invocation.zone_name or invocation.settings.timezone,
        owner=owner,
        form=Form.SYSTEM if system else Form.USER,
    )
    return parse_crontab(decoded(source.content, source.place, kind="a crontab"), origin)


def _source(file: Path | None, owner: "Owner", *, system: bool) -> _Source:
    if file is None and not system:
        return _Source(_listed(owner.name), f"the crontab of {owner.name}", owner.name)
    file = file or _SYSTEM_CRONTAB
    if file == _SYSTEM_CRONTAB and not file.exists():
        raise NotFound("file", str(file), mend="name one, such as a file of /etc/cron.d")
    if file == _STDIN:
        return _Source(sys.stdin.buffer.read(), "stdin", "crontab")
    return _Source(file.read_bytes(), str(file), _as_prefix(file.stem))


def _listed(user: str) -> bytes:
    """What `crontab -l` shows."""
    try:
        done = subprocess.run(
            ["crontab", "-l"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30
        )
    except FileNotFoundError as error:
        raise NotFound("program", "crontab", mend="name a file, or - for stdin") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise NotFound("crontab of", user, mend=f"`crontab -l` says: {said}" if said else "name a file")
    return done.stdout


def _as_prefix(stem: str) -> str:
    kept = "".join(character if _may_be_in_prefix(character) else "-" for character in stem)
    return kept.strip("-.") or "crontab"


def _checked_prefix(prefix: str) -> str:
    if not prefix or prefix.startswith(".") or not all(map(_may_be_in_prefix, prefix)) or len(prefix) > 100:
        raise click.BadParameter(
            "it is the name of a file too: letters, digits, -, _ and . only", param_hint="'--prefix'"
        )
    return prefix


def _may_be_in_prefix(character: str) -> bool:
    return character.isalnum() or character in "-_."
