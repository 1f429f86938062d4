"""schedulerd as a service of systemd: the files of it, and the steps that install it or take it away.

A plan is made from what was found, and changes nothing: it can be shown before it is carried out.
"""

import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schedulerd.errors import NotFound, NotPermitted
from schedulerd.operations.steps import Command, Keep, MakeFolder, RemoveFile, Step, WriteFile

ACCOUNT: Final = "schedulerd"
UNIT: Final = "schedulerd.service"
_PROGRAM_IN_UNIT: Final = "/opt/schedulerd/bin/schedulerd"
_SYSTEM_ONLY: Final = re.compile(r"^# -- system only --\n.*?^# -- everywhere --\n", re.MULTILINE | re.DOTALL)
_HIDDEN: Final = (Path("/home"), Path("/root"), Path("/run/user"))  # by ProtectHome= of the unit
_ELSEWHERE: Final = (
    "install it where everybody may read, and from there:\n"
    "  python3 -m venv /opt/schedulerd && /opt/schedulerd/bin/pip install schedulerd\n"
    "  sudo /opt/schedulerd/bin/schedulerd systemd install"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an installation goes: one for the system, with an account of its own, or a person's own."""

    unit: Path
    config: Path
    state: Path
    is_system: bool

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.config / "schedulerd.toml"

    @property
    def account_file(self) -> Path | None:
        """What makes the account (sysusers.d(5)), where there is one."""
        return Path(f"/etc/sysusers.d/{ACCOUNT}.conf") if self.is_system else None

    @property
    def systemctl(self) -> tuple[str, ...]:
        """The command that speaks to the service manager in question."""
        return ("systemctl",) if self.is_system else ("systemctl", "--user")


SYSTEM: Final = Place(
    unit=Path("/etc/systemd/system") / UNIT,
    config=Path("/etc/schedulerd"),
    state=Path("/var/lib/schedulerd"),
    is_system=True,
)


def own_place(environ: Mapping[str, str]) -> Place:
    """Where a person's own service goes, by the XDG rules. Raises `NotFound` for a person without a home."""
    if not environ.get("HOME"):
        raise NotFound("environment variable", "HOME", mend="set it to your home directory")
    home = Path(environ["HOME"])
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    state = Path(environ.get("XDG_STATE_HOME") or home / ".local/state")
    return Place(
        unit=config / "systemd/user" / UNIT,
        config=config / "schedulerd",
        state=state / "schedulerd",
        is_system=False,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """This installation: the words that start it, and the paths that must be readable for that."""

    words: tuple[str, ...]
    needs: tuple[Path, ...]


def this_program(executable: Path) -> Program:
    """The program beside this Python, or else this Python with the package."""
    script = executable.parent / "schedulerd"
    package = Path(__file__).resolve().parents[1]
    if script.is_file():
        return Program(words=(str(script),), needs=(script, executable, package))
    return Program(words=(str(executable), "-P", "-m", "schedulerd"), needs=(executable, package))


def require_reach(program: Program) -> None:
    """The account of the service can read the program. Raises `NotPermitted` with the folder or file that it cannot."""
    for path in program.needs:
        for step in _way_to(path):
            if step in _HIDDEN or not _is_open(step):
                why = "hidden from services" if step in _HIDDEN else "closed to others"
                raise NotPermitted(
                    f"the service could not run {' '.join(program.words)}: {step} is {why}", mend=_ELSEWHERE
                )


def _way_to(path: Path) -> list[Path]:
    """All that one passes on the way to a file, by its name and by what that stands for, from the root on."""
    return [*reversed(path.parents), path, *reversed(path.resolve().parents), path.resolve()]


def _is_open(path: Path) -> bool:
    mode = path.stat().st_mode
    return bool(mode & (stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH))


def require_root(uid: int, *, command: str) -> None:
    """Only root changes the services of the system. Raises `NotPermitted`."""
    if uid != 0:
        raise NotPermitted(
            "only root may change the services of the system",
            mend=f"sudo {command}\nor, for a service of your own: {command} --user",
        )


# -- the files ------------------------------------------------------------------------------------------------------


def shipped_unit() -> str:
    """The unit as it is shipped: in the package, or beside it in a checkout. Raises `NotFound`."""
    package = Path(__file__).resolve().parents[1]
    for file in (package / "data" / UNIT, package.parent / "systemd" / UNIT):
        if file.is_file():
            return file.read_text()
    raise NotFound(
        "unit in this installation", UNIT, mend="install schedulerd anew, from a wheel or a checkout"
    )


def unit_text(shipped: str, program: Sequence[str], *, is_system: bool) -> str:
    """The unit for this program; a person's own is without what only the system's manager can do."""
    command = " ".join(_as_unit_word(word) for word in program)
    lines = [
        line.replace(_PROGRAM_IN_UNIT, command) if line.startswith("Exec") else line
        for line in shipped.splitlines(keepends=True)
    ]
    text = "".join(lines)
    if is_system:
        return text
    return _SYSTEM_ONLY.sub("", text).replace("WantedBy=multi-user.target", "WantedBy=default.target")


def _as_unit_word(word: str) -> str:
    """A word of a command as systemd.service(5) wants it written."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{word}"' if re.search(r"[\s\"'\\;]", word) else word


def settings_text(place: Place) -> str:
    """The settings that a new installation begins with."""
    state = _toml(place.state)
    return f"""\
# The settings of schedulerd as a service. What stands here after a `#` is the default; remove the `#` to change it,
# then: {" ".join(place.systemctl)} restart schedulerd
#
# Relative paths are relative to this folder. Each setting is also an environment variable, which wins over this file.
# One that must stay secret, such as SCHEDULERD_STORE__URL with a password, belongs in the file `environment` beside
# this one (a line NAME=value each, mode 0600), which the service is given.

# Folders that are watched for flow files (*.py) and for schedule files (*.toml).
flows = ["flows"]
schedules = ["schedules"]

# What the daemon keeps: its lock and socket, the files of live runs, and the database.
state_dir = {state}

# Folder in which runs work.
directory = {_toml(place.state / "work")}

# Time zone of schedules that name none.
# timezone = "UTC"

# How many runs may be live at the same time; more wait.
# max_running = 16

# What becomes of live runs when the daemon stops: "leave" them to the next daemon, "drain" or "cancel". Where
# drain_timeout and grace come near to 90 s together, raise TimeoutStopSec= of the unit.
# on_stop = "leave"
# drain_timeout = "30s"
# grace = "10s"

[web]
# enabled = true
# host = "127.0.0.1"
# port = 8080
"""


def _toml(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_ACCOUNT_TEXT: Final = f"""\
# The account of schedulerd.service. Members of the group may use the command line: `usermod -aG {ACCOUNT} NAME`.
u {ACCOUNT} - "schedulerd, a scheduling daemon" {SYSTEM.state}
"""


# -- the plan -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is there before: the text of each file in question, the folders, and whether systemd runs the machine."""

    files: Mapping[Path, str]
    folders: frozenset[Path]
    systemd_runs: bool = True


def found(place: Place) -> Found:
    """Look at what is there now."""
    files = [file for file in (place.unit, place.settings, place.account_file) if file is not None]
    folders = [place.state, *(folder for folder, _ in _folders(place))]
    return Found(
        files={file: file.read_text() for file in files if file.is_file()},
        folders=frozenset(folder for folder in folders if folder.is_dir()),
        systemd_runs=Path("/run/systemd/system").is_dir(),  # sd_booted(3)
    )


def installation(place: Place, program: Sequence[str], before: Found, *, shipped: str) -> list[Step]:
    """The steps that make the service; after them, the same question is answered by steps that change nothing."""
    unit = unit_text(shipped, program, is_system=place.is_system)
    return [
        *_account(place, before),
        *(_folder(path, mode, before) for path, mode in _folders(place)),
        _settings(place, before),
        _file(place.unit, unit, before),
        *_tell_systemd(place, before),
        Command(words=(*place.systemctl, "enable", UNIT)),
    ]


def removal(place: Place, before: Found) -> list[Step]:
    """The steps that end the service and take its unit away. What was made with it, and what it knows, stays."""
    data = [place.config, place.state] + ([place.account_file] if place.account_file else [])
    there = {*before.folders, *before.files}
    kept = [Keep(path=path, why=_remove_by_hand(path)) for path in data if path in there]
    if place.unit not in before.files:
        return [*kept]
    ending = ("disable", "--now") if before.systemd_runs else ("disable",)
    return [
        Command(words=(*place.systemctl, *ending, UNIT)),
        RemoveFile(path=place.unit),
        *_tell_systemd(place, before),
        *kept,
    ]


def _remove_by_hand(path: Path) -> str:
    if path == SYSTEM.account_file:
        return f"the account stays too; to remove both: userdel {ACCOUNT} && rm {path}"
    return f"to remove it: rm -r {path}"


def _folders(place: Place) -> list[tuple[Path, int]]:
    definitions = [place.config, place.config / "flows", place.config / "schedules"]
    if place.is_system:  # the state directory is systemd's to make, and to give to the account
        return [(folder, 0o755) for folder in definitions]
    return [(folder, 0o700) for folder in (*definitions, place.state, place.state / "work")]


def _account(place: Place, before: Found) -> list[Step]:
    if place.account_file is None:
        return []
    makes = Command(words=("systemd-sysusers", str(place.account_file)))
    return [_file(place.account_file, _ACCOUNT_TEXT, before), makes]


def _folder(path: Path, mode: int, before: Found) -> Step:
    if path in before.folders:
        return Keep(path=path, why="it is there")
    return MakeFolder(path=path, mode=mode)


def _settings(place: Place, before: Found) -> Step:
    if place.settings in before.files:
        return Keep(path=place.settings, why="settings that are there are never overwritten")
    return WriteFile(path=place.settings, text=settings_text(place))


def _file(path: Path, text: str, before: Found) -> Step:
    if before.files.get(path) == text:
        return Keep(path=path, why="it is as it should be")
    return WriteFile(path=path, text=text)


def _tell_systemd(place: Place, before: Found) -> list[Step]:
    """Have systemd read its units anew; while an image is built there is none to tell."""
    return [Command(words=(*place.systemctl, "daemon-reload"))] if before.systemd_runs else []
