"""`init`: a folder to start from."""

from importlib import resources
from pathlib import Path
from typing import Final

import click

from schedulerd.cli.commands import Command
from schedulerd.cli.invocation import Invocation, pass_invocation
from schedulerd.errors import Conflict, NotPermitted

_FILES: Final = {
    "config/schedulerd.toml": "schedulerd.toml",
    "config/schedules/hello.toml": "schedules.toml",
    "flows/hello.py": "hello.py.txt",
}
"""What is written, and the template of each."""


@click.command(cls=Command)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write over files that are there.")
@pass_invocation
def init(invocation: Invocation, folder: Path, force: bool) -> None:
    """Make flows/, config/ and an example in a folder: DIR, or this one."""
    present = [name for name in _FILES if (folder / name).exists()]
    if present and not force:
        raise Conflict(
            f"{folder} has {', '.join(present)} already; nothing was written", mend="--force writes over them"
        )
    try:
        _write(folder)
    except PermissionError as error:
        raise NotPermitted(f"cannot write {error.filename}: {error.strerror}") from error
    out = invocation.output
    for name in _FILES:
        out.say(f"wrote {folder / name}")
    there = "" if folder == Path() else f"cd {folder} && "
    out.say(f"next: {there}schedulerd start")


def _write(folder: Path) -> None:
    templates = resources.files("schedulerd.cli") / "templates"
    for name, template in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((templates / template).read_text("utf-8"), "utf-8")
