"""From a settings file and the environment to settings, or to the file and line of what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schedulerd.config.settings import PREFIX, Settings
from schedulerd.domain.names import did_you_mean
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
    try:
        settings = Settings(**_merged(text.data, from_environment))
    except ValidationError as error:
        raise _first_problem(error, file, text, from_environment) from error
    return _absolute(settings, file=file, cwd=cwd or Path.cwd())


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
    for name in Settings.model_fields:
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


def _absolute(settings: Settings, *, file: Path | None, cwd: Path) -> Settings:
    base = base_folder(file, cwd=cwd)
    state_dir = base / settings.state_dir
    beside = file.parent if file else cwd / "config"
    schedules_base = base if "schedules" in settings.model_fields_set else beside
    crontabs_base = base if "crontabs" in settings.model_fields_set else beside
    url = f"sqlite:///{state_dir / 'schedulerd.db'}"
    if "url" in settings.store.model_fields_set:
        url = _absolute_url(settings.store.url, base)
    return settings.model_copy(
        update={
            "flows": tuple(base / folder for folder in settings.flows),
            "schedules": tuple(schedules_base / folder for folder in settings.schedules),
            "crontabs": tuple(crontabs_base / folder for folder in settings.crontabs),
            "state_dir": state_dir,
            "directory": base / settings.directory,
            "store": settings.store.model_copy(update={"url": url}),
            "notify": tuple(
                one if one.urls_file is None else one.model_copy(update={"urls_file": base / one.urls_file})
                for one in settings.notify
            ),
        }
    )


def _absolute_url(url: str, base: Path) -> str:
    path = url.removeprefix("sqlite:///")
    return url if path == url else f"sqlite:///{base / path}"


def _first_problem(
    error: ValidationError, file: Path | None, text: TomlText, from_environment: Mapping[str, Any]
) -> BadDefinition:
    problems = [_problem(one, file, text, from_environment) for one in error.errors()]
    return min(problems, key=lambda problem: problem.line or 0)


def _problem(
    error: ErrorDetails, file: Path | None, text: TomlText, from_environment: Mapping[str, Any]
) -> BadDefinition:
    path = error["loc"]
    reason, mend = f"`{_dotted(path)}` {_reason(error)}", ""
    names = _known(list(path)) if error["type"] == "model_type" and len(path) == 1 else []
    if _has(from_environment, path) or file is None:
        variable = PREFIX + _WITHIN.join(str(part).upper() for part in path if isinstance(part, str))
        if names:
            reason = f"`{path[0]}` is a group of settings, and has no value itself"
            mend = _variables(variable, names, str(error["input"]))
        return BadDefinition(reason, file=f"environment variable {variable}", mend=mend)
    if names:
        mend = f"its settings stand below [{path[0]}]: {', '.join(names)}"
    return BadDefinition(reason, file=file, line=text.line_of(*path), mend=mend)


def _variables(group: str, names: list[str], value: str) -> str:
    """What to set in place of the variable of a group of settings."""
    word = _SWITCHES.get(value.lower())
    if word is not None and "enabled" in names:
        return f"set {group}{_WITHIN}ENABLED={word}"
    return f"set a variable of one of them: {', '.join(f'{group}{_WITHIN}{name.upper()}' for name in names)}"


_SWITCHES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}


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


# What pydantic says in its own words, in ours.
_REASONS: Final[Mapping[str, str]] = {
    "tuple_type": 'must be a list, such as ["one", "two"]',
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "model_type": "must be a table",
    "dict_type": "must be a table, such as { database = 2 }",
}


def _reason(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "tuple_type" and error["loc"] == ("notify",):
        return "must be tables with a heading of two brackets: [[notify]]"
    if kind == "extra_forbidden":
        *section, name = error["loc"]
        return f"is not a setting; {did_you_mean(str(name), _known(section))}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "enum":
        return f"must be {context['expected']}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"must be at {'least' if 'ge' in context else 'most'} {context.get('ge', context.get('le'))}"
    return _REASONS.get(kind, error["msg"])


def _known(section: list[int | str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in section:
        if isinstance(part, int):
            continue  # the place in an array of tables
        annotation = model.model_fields[part].annotation
        annotation, *_ = get_args(annotation) or (annotation,)
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return list(model.model_fields)
