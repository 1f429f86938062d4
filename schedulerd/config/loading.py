"""From a settings file and the environment to settings, or to the file and line of what is wrong."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from schedulerd.config.reading import BadValue, Misfit, settings_of, table
from schedulerd.config.settings import PREFIX, Settings
from schedulerd.config.values import SWITCHES
from schedulerd.domain.toml_text import TomlText, parse_toml
from schedulerd.errors import BadDefinition, NotFound, UnreadableName
from schedulerd.file_names import is_text

LOCAL_FILE: Final = Path("config/schedulerd.toml")
SYSTEM_FILE: Final = Path("/etc/schedulerd/schedulerd.toml")
MAX_FILE_BYTES: Final = 1 << 20
_WITHIN: Final = "__"


def find_settings_file(
    explicit: Path | None, environ: Mapping[str, str], *, cwd: Path | None = None
) -> Path | None:
    """The settings file that is in force: the one named, else the first default place that has one, else None.

    Raises `NotFound` when `--config` or SCHEDULERD_CONFIG names a file that is not there.
    """
    named = explicit or (Path(environ[f"{PREFIX}CONFIG"]) if environ.get(f"{PREFIX}CONFIG") else None)
    here = cwd or Path.cwd()
    if named is None:
        return next((file for file in (here / LOCAL_FILE, SYSTEM_FILE) if file.is_file()), None)
    if not (here / named).is_file():
        raise NotFound("settings file", str(named), mend="make one with `schedulerd init`, or name another")
    return here / named


def load_settings(file: Path | None, environ: Mapping[str, str], *, cwd: Path | None = None) -> Settings:
    """The settings from `file` (None: defaults only) and the environment, which wins.

    Raises `BadDefinition` with the file and line, or the variable, that is wrong.
    """
    file = file and (cwd or Path.cwd()) / file
    _require_text(file or cwd or Path.cwd())
    text = _read(file) if file else TomlText(data={}, lines={})
    from_environment = _from_environment(environ)
    written = _merged(text.data, from_environment)
    try:
        settings = table(Settings)(written)
    except BadValue as error:
        raise _first_problem(error, file, text, from_environment) from error
    return _absolute(settings, written, file=file, cwd=cwd or Path.cwd())


def base_folder(file: Path | None, *, cwd: Path) -> Path:
    """The folder that relative paths of the settings are relative to: the one that holds `config/`."""
    if file is None:
        return cwd
    return file.parent.parent if file.parent.name == "config" else file.parent


def _require_text(place: Path) -> None:
    """Paths below it are kept in the database, and shown."""
    if not is_text(place):
        raise UnreadableName(place)


def _read(file: Path) -> TomlText:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadDefinition(f"cannot be read: {error.strerror}", file=file) from error
    if len(content) > MAX_FILE_BYTES:
        raise BadDefinition(f"is larger than {MAX_FILE_BYTES} bytes", file=file)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadDefinition("not TOML: not UTF-8 text", file=file, line=line) from error
    return parse_toml(text, file=str(file))


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """What variables say of settings: SCHEDULERD_TIMEZONE, and SCHEDULERD_WEB__PORT of one in a group.

    An empty variable counts as one that is not set, and a variable of what is no setting is somebody else's.
    """
    said = {name.lower(): value for name, value in environ.items() if value}
    found: dict[str, Any] = {}
    for name in settings_of(Settings):
        variable = f"{PREFIX}{name}".lower()
        group = f"{variable}{_WITHIN}"
        within = {
            one.removeprefix(group): _text(one, value) for one, value in said.items() if one.startswith(group)
        }
        if variable in said:
            found[name] = _listed(name, _text(variable, said[variable]))
        elif within:
            found[name] = within
    return found


def _text(variable: str, value: str) -> str:
    if not is_text(value):
        raise BadDefinition("is not UTF-8 text", file=f"environment variable {variable.upper()}")
    return value


def _listed(name: str, value: Any) -> Any:
    """In the environment, lists of folders are written like PATH, and lists of modules with commas."""
    separators = {"flows": ":", "schedules": ":", "crontabs": ":", "preload": ","}
    if name not in separators or not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(separators[name]) if part.strip()]


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _absolute(settings: Settings, written: Mapping[str, Any], *, file: Path | None, cwd: Path) -> Settings:
    base = base_folder(file, cwd=cwd)
    state_dir = base / settings.state_dir
    beside = file.parent if file else cwd / "config"
    schedules_base = base if "schedules" in written else beside
    crontabs_base = base if "crontabs" in written else beside
    url = f"sqlite:///{state_dir / 'schedulerd.db'}"
    if "url" in written.get("store", {}):
        url = _absolute_url(settings.store.url, base)
    return replace(
        settings,
        flows=tuple(base / folder for folder in settings.flows),
        schedules=tuple(schedules_base / folder for folder in settings.schedules),
        crontabs=tuple(crontabs_base / folder for folder in settings.crontabs),
        state_dir=state_dir,
        directory=base / settings.directory,
        store=replace(settings.store, url=url),
        notify=tuple(
            one if one.urls_file is None else replace(one, urls_file=base / one.urls_file)
            for one in settings.notify
        ),
    )


def _absolute_url(url: str, base: Path) -> str:
    path = url.removeprefix("sqlite:///")
    return url if path == url else f"sqlite:///{base / path}"


def _first_problem(
    error: BadValue, file: Path | None, text: TomlText, from_environment: Mapping[str, Any]
) -> BadDefinition:
    problems = [_problem(one, file, text, from_environment) for one in error.misfits]
    return min(problems, key=lambda problem: problem.line or 0)


def _problem(
    misfit: Misfit, file: Path | None, text: TomlText, from_environment: Mapping[str, Any]
) -> BadDefinition:
    path = misfit.path
    reason, mend = f"`{_dotted(path)}` {misfit.reason}", ""
    names = misfit.names if len(path) == 1 else ()
    if _has(from_environment, path) or file is None:
        variable = PREFIX + _WITHIN.join(str(part).upper() for part in path if isinstance(part, str))
        if names:
            reason = f"`{path[0]}` is a group of settings, and has no value itself"
            mend = _variables(variable, names, str(from_environment[str(path[0])]))
        return BadDefinition(reason, file=f"environment variable {variable}", mend=mend)
    if names:
        mend = f"its settings stand below [{path[0]}]: {', '.join(names)}"
    return BadDefinition(reason, file=file, line=text.line_of(*path), mend=mend)


def _variables(group: str, names: tuple[str, ...], value: str) -> str:
    """What to set in place of the variable of a group of settings."""
    switch = SWITCHES.get(value.lower())
    if switch is not None and "enabled" in names:
        return f"set {group}{_WITHIN}ENABLED={str(switch).lower()}"
    return f"set a variable of one of them: {', '.join(f'{group}{_WITHIN}{name.upper()}' for name in names)}"


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str)) or "the settings"


def _has(values: Any, path: tuple[str | int, ...]) -> bool:
    """Does this value of a nested mapping come from `values`?"""
    for part in path:
        if not isinstance(values, Mapping):
            break
        if part not in values:
            return False
        values = values[part]
    return True
