"""Settings: where they come from, which wins, and what is said of a mistake."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schedulerd.config import OnStop, Settings, base_folder, find_settings_file, load_settings
from schedulerd.config.reading import settings_of
from schedulerd.config.settings import WebSettings
from schedulerd.errors import BadDefinition, NotFound

Write = Callable[[str], Path]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_settings(text: str) -> Path:
        file = tmp_path / "config" / "schedulerd.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    return write_settings


def complaint(file: Path | None, environ: Mapping[str, str] | None = None) -> BadDefinition:
    with pytest.raises(BadDefinition) as caught:
        load_settings(file, environ or {})
    return caught.value


def test_without_a_file_the_defaults_are_relative_to_the_current_folder(tmp_path: Path) -> None:
    settings = load_settings(None, {}, cwd=tmp_path)

    assert settings.directory == tmp_path
    assert settings.flows == (tmp_path / "flows",)
    assert settings.schedules == (tmp_path / "config" / "schedules",)
    assert settings.crontabs == (tmp_path / "config",)
    assert settings.state_dir == tmp_path / ".state"
    assert settings.store.url == f"sqlite:///{tmp_path}/.state/schedulerd.db"
    assert settings.timezone == "UTC"
    assert settings.max_running == 16
    assert settings.on_stop is OnStop.LEAVE
    assert (settings.drain_timeout, settings.grace) == (timedelta(seconds=30), timedelta(seconds=10))
    assert settings.inspect_timeout == timedelta(seconds=30)
    assert settings.preload == ()
    assert (settings.web.enabled, settings.web.host, settings.web.port) == (True, "127.0.0.1", 8080)


def test_the_settings_of_this_repository_are_good() -> None:
    settings = load_settings(REPOSITORY / "config" / "schedulerd.toml", {})

    assert settings.flows == (REPOSITORY / "flows",)
    assert settings.schedules == (REPOSITORY / "config" / "schedules",)
    assert settings.crontabs == (REPOSITORY / "config",)
    assert settings.state_dir == REPOSITORY / ".state"


def test_pools_have_names_and_numbers_of_places(tmp_path: Path) -> None:
    file = tmp_path / "schedulerd.toml"
    file.write_text('[pools]\ndatabase = 2\n"slow disk" = 1\n')

    assert load_settings(file, {}).pools == {"database": 2, "slow disk": 1}
    assert load_settings(None, {"SCHEDULERD_POOLS__DATABASE": "3"}).pools == {"database": 3}


def test_the_settings_of_this_repository_name_every_setting() -> None:
    text = (REPOSITORY / "config" / "schedulerd.toml").read_text()

    names = [*settings_of(Settings), "url", "runs", "logs", "keep_per_flow", "enabled", "host", "port"]
    assert [name for name in names if f"{name} =" not in text and f"[{name}]" not in text] == []


def test_the_comments_in_the_settings_of_this_repository_show_the_defaults(tmp_path: Path) -> None:
    commented = (REPOSITORY / "config" / "schedulerd.toml").read_text()
    shown = "\n".join(line.removeprefix("# ") if " = " in line else line for line in commented.splitlines())
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "schedulerd.toml").write_text(shown)

    assert load_settings(tmp_path / "config" / "schedulerd.toml", {}) == load_settings(None, {}, cwd=tmp_path)


def test_every_setting_says_what_it_is() -> None:
    groups = [Settings, *(one.section for one in settings_of(Settings).values() if one.section)]
    settings = [(name, one) for group in groups for name, one in settings_of(group).items()]

    assert len(groups) == 6
    assert [name for name, one in settings if not one.description] == []


def test_relative_paths_are_relative_to_the_folder_that_holds_config(write: Write, tmp_path: Path) -> None:
    file = write(
        'flows = ["a", "/b"]\nstate_dir = "c"\nschedules = ["config/more"]\n[store]\nurl = "sqlite:///d/e.db"\n'
    )

    settings = load_settings(file, {})

    assert settings.directory == tmp_path
    assert settings.flows == (tmp_path / "a", Path("/b"))
    assert settings.state_dir == tmp_path / "c"
    assert settings.schedules == (tmp_path / "config" / "more",)
    assert settings.store.url == f"sqlite:///{tmp_path}/d/e.db"


def test_without_a_folder_called_config_they_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "schedulerd.toml"
    file.write_text("")

    assert base_folder(file, cwd=Path("/")) == tmp_path
    assert load_settings(file, {}).flows == (tmp_path / "flows",)
    assert load_settings(file, {}).schedules == (tmp_path / "schedules",)


def test_a_relative_settings_file_is_found_from_the_current_folder(write: Write, tmp_path: Path) -> None:
    write("max_running = 3")

    settings = load_settings(Path("config/schedulerd.toml"), {}, cwd=tmp_path)

    assert (settings.max_running, settings.state_dir) == (3, tmp_path / ".state")


@pytest.mark.parametrize(
    ("text", "size"), [('"1.5GB"', 1_500_000_000), ('"64KiB"', 65_536), ("0", 0), ('"0"', 0)], ids=str
)
def test_an_amount_of_space_is_written_with_its_unit_and_nothing_is_0(
    write: Write, text: str, size: int
) -> None:
    assert load_settings(write(f"min_free_space = {text}"), {}).min_free_space == size


def test_the_environment_wins_over_the_file(write: Write) -> None:
    file = write('max_running = 3\ndrain_timeout = "1m"\n[web]\nport = 1\nhost = "::1"\n')

    settings = load_settings(
        file,
        {
            "SCHEDULERD_MAX_RUNNING": "4",
            "SCHEDULERD_WEB__PORT": "2",
            "SCHEDULERD_WEB__ENABLED": "false",
            "SCHEDULERD_FLOWS": "/x:/y",
            "SCHEDULERD_PRELOAD": "json, xml.dom",
            "SCHEDULERD_GRACE": "2s",
            "SCHEDULERD_ON_STOP": "drain",
            "SCHEDULERD_STORE__URL": "postgres://u:p@h/d",
        },
    )

    assert settings.max_running == 4
    assert (settings.web.port, settings.web.host, settings.web.enabled) == (2, "::1", False)
    assert settings.flows == (Path("/x"), Path("/y"))
    assert settings.preload == ("json", "xml.dom")
    assert settings.grace == timedelta(seconds=2)
    assert settings.drain_timeout == timedelta(minutes=1)
    assert settings.on_stop is OnStop.DRAIN
    assert settings.store.url == "postgresql+psycopg://u:p@h/d"


@pytest.mark.parametrize(
    ("text", "is_on"), [("true", True), ("YES", True), ("1", True), ("off", False), ("n", False)]
)
def test_a_switch_in_the_environment_may_be_said_in_several_words(text: str, is_on: bool) -> None:
    assert load_settings(None, {"SCHEDULERD_WEB__ENABLED": text}).web.enabled is is_on


def test_what_is_not_given_in_a_table_is_as_without_it(write: Write) -> None:
    web = load_settings(write("[web]\nport = 1"), {}).web

    assert web == replace(WebSettings(), port=1)


def test_only_the_environment_that_is_handed_in_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDULERD_MAX_RUNNING", "7")

    assert load_settings(None, {}).max_running == 16


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(None, {"SCHEDULERD_MAX_RUNNING": ""}).max_running == 16


def test_variables_of_others_are_no_business_of_ours() -> None:
    # Kubernetes sets such ones for a service called schedulerd
    load_settings(None, {"SCHEDULERD_PORT": "tcp://10.0.0.1:80", "SCHEDULERD_CONFIG": "x"})


def test_a_password_does_not_show() -> None:
    settings = load_settings(None, {"SCHEDULERD_STORE__URL": "postgresql://u:hunter2@h/d"})

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(complaint(None, {"SCHEDULERD_STORE__URL": "mysql://u:hunter2@h/d"}))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("\nmax_runing = 1", 2, "`max_runing` is not a setting; did you mean 'max_running'?"),
        ("[web]\n\nprot = 1", 3, "`web.prot` is not a setting; did you mean 'port'?"),
        ("[wbe]\nport = 1", 1, "`wbe` is not a setting; did you mean 'web'?"),
        ("web.prot = 1", 1, "`web.prot` is not a setting; did you mean 'port'?"),
        ("[store]\nzzz = 1", 2, "`store.zzz` is not a setting; known are: url"),
        ("flows = 'flows'", 1, '`flows` must be a list, such as ["one", "two"]'),
        ("flows = []", 1, "`flows` must not be empty"),
        ("flows = [\n'a', 1]", 1, "`flows` must be the path of a folder, in quotes"),
        ("flows = ['~/flows']", 1, "`flows` `~` is not expanded here; write the whole path"),
        ("max_running = 0", 1, "`max_running` must be at least 1"),
        ("[pools]\ndatabase = 0", 2, "`pools.database` must be at least 1"),
        ('[pools]\ndatabase = "two"', 2, "`pools.database` must be a whole number"),
        ('[pools]\n" " = 2', 2, "' ' cannot be the name of a pool"),
        ("pools = 2", 1, "`pools` must be a table, such as { database = 2 }"),
        ("max_running = true", 1, "`max_running` must be a whole number"),
        ("max_running = 1.5", 1, "`max_running` must be a whole number"),
        ("on_stop = 'x'", 1, "`on_stop` must be 'leave', 'drain' or 'cancel'"),
        ("grace = 10", 1, '`grace` must be a duration in quotes, such as "30s" or "5m"'),
        ("min_free_space = 64", 1, '`min_free_space` must be a size in quotes, such as "64MB"'),
        ("min_free_space = true", 1, '`min_free_space` must be a size in quotes, such as "64MB"'),
        ("min_free_space = '64 apples'", 1, "`min_free_space` '64 apples' is not a size"),
        ("grace = 'soon'", 1, "`grace` 'soon' is not a duration"),
        ("timezone = 'Asia/Soul'", 1, "did you mean Asia/Seoul"),
        ("preload = ['a-b']", 1, "`preload` 'a-b' is not the name of a module"),
        (
            "[store]\nurl = 'mysql://h'",
            2,
            "`store.url` must begin with sqlite:/// (and a path) or postgresql://",
        ),
        ("web = 1", 1, "`web` must be a table"),
        ("[web]\nport = 65536", 2, "`web.port` must be at most 65535"),
        ("[web]\nenabled = 'perhaps'", 2, "`web.enabled` must be true or false"),
        ("[web]\nhost = 5", 2, "`web.host` must be text in quotes"),
        ("a = 1\nb = [", 2, "not TOML: Invalid value"),
        ("max_running = 1\nmax_running = 2", 2, "not TOML: Cannot overwrite a value"),
        ("zone = 1\nmax_running = 0", 1, "`zone` is not a setting"),
        ('[limits]\nmemory = "lots"', 2, "`limits.memory` a size is written like 64MB"),
        ('[limits]\ncpu_time = "0s"', 2, "`limits.cpu_time` must be longer than nothing"),
        ("[limits]\ntimeout = 5", 2, "`limits.timeout` must be a duration in quotes"),
        ("[limits]\nopen_files = 1", 2, "`limits.open_files` must be a whole number from 16"),
        ("[limits]\nnice = 40", 2, "`limits.nice` must be a whole number from -20 to 19"),
        ("[limits]\nuser = 'kim'", 2, "`limits.user` is not a setting"),
        ("hook_timeout = '0s'", 1, "`hook_timeout` must be longer than nothing"),
        ("max_log = '1B'", 1, "`max_log` must be at least 1000"),
        ("spare_processes = 1001", 1, "`spare_processes` must be at most 1000"),
        ("max_running = inf", 1, "`max_running` must be a whole number"),
        ("timezone = 9", 1, "`timezone` must be text in quotes"),
        ("[web]\nhost = ''", 2, "`web.host` must not be empty"),
        ("[web]\nenabled = 2", 2, "`web.enabled` must be true or false"),
        ("[web]\nproxies = ['a b']", 2, "`web.proxies` 'a b' is not the name of a host"),
        ("[web]\nport = -1\n[store]\nurl = 'x'", 2, "`web.port` must be at least 0"),
        ("results = 'here'", 1, "`results` must be an absolute path, or an URL"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_reason(write: Write, text: str, line: int, reason: str) -> None:
    file = write(text)

    error = complaint(file)

    assert (error.file, error.line) == (str(file), line)
    assert reason in error.reason


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("SCHEDULERD_MAX_RUNNING", "many", "`max_running` must be a whole number"),
        ("SCHEDULERD_WEB__PROT", "1", "`web.prot` is not a setting; did you mean 'port'?"),
        ("SCHEDULERD_WEB", "1", "`web` is a group of settings, and has no value itself"),
        ("SCHEDULERD_FLOWS", "/a:~/b", "`~` is not expanded"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    write: Write, variable: str, value: str, reason: str
) -> None:
    error = complaint(write("timezone = 'UTC'\n[web]\nport = 1"), {variable: value})

    assert error.file == f"environment variable {variable}"
    assert error.line is None
    assert reason in error.reason


@pytest.mark.parametrize(
    ("variable", "value", "mend"),
    [
        ("SCHEDULERD_WEB", "false", "set SCHEDULERD_WEB__ENABLED=false"),
        ("SCHEDULERD_WEB", "Off", "set SCHEDULERD_WEB__ENABLED=false"),
        ("SCHEDULERD_WEB", "1", "set SCHEDULERD_WEB__ENABLED=true"),
        ("SCHEDULERD_STORE", "sqlite:///x", "set a variable of one of them: SCHEDULERD_STORE__URL"),
        ("SCHEDULERD_STORE", "false", "set a variable of one of them: SCHEDULERD_STORE__URL"),
    ],
)
def test_who_sets_a_group_of_settings_as_a_whole_is_told_what_its_variables_are_called(
    write: Write, variable: str, value: str, mend: str
) -> None:
    assert complaint(None, {variable: value}).mend == mend
    assert complaint(write("[web]\nport = 1"), {variable: value}).mend == mend
    load_settings(None, {"SCHEDULERD_WEB__ENABLED": "false"})  # as it is really called


def test_who_gives_a_group_of_settings_a_value_in_the_file_is_told_where_they_stand(write: Write) -> None:
    assert complaint(write("store = 'x'")).mend == "its settings stand below [store]: url"


def test_a_file_that_is_not_text_or_too_large_or_a_folder_is_refused(write: Write, tmp_path: Path) -> None:
    file = write("")

    file.write_bytes(b"a = 1\nb = '\xff'")
    assert (complaint(file).line, complaint(file).reason) == (2, "not TOML: not UTF-8 text")
    file.write_bytes(b"#" * (1 << 20) + b"#")
    assert complaint(file).reason == "is larger than 1048576 bytes"
    assert complaint(tmp_path).reason == "cannot be read: Is a directory"


def test_the_file_that_is_named_comes_first(write: Write, tmp_path: Path) -> None:
    default, other = write(""), tmp_path / "other.toml"
    other.write_text("")

    assert find_settings_file(other, {"SCHEDULERD_CONFIG": "x"}, cwd=tmp_path) == other
    assert find_settings_file(None, {"SCHEDULERD_CONFIG": "other.toml"}, cwd=tmp_path) == other
    assert find_settings_file(None, {}, cwd=tmp_path) == default
    assert find_settings_file(None, {"SCHEDULERD_CONFIG": ""}, cwd=tmp_path) == default


def test_a_named_file_that_is_missing_is_an_error_but_a_default_one_is_not(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no settings file 'nope\.toml'"):
        find_settings_file(Path("nope.toml"), {}, cwd=tmp_path)

    assert find_settings_file(None, {}, cwd=tmp_path) in (None, Path("/etc/schedulerd/schedulerd.toml"))


def test_limits_are_read_as_in_schedule_files(write: Write) -> None:
    text = '[limits]\nmemory = "64MB"\ncpu_time = "unlimited"\nopen_files = 64'

    limits = load_settings(
        write(text), {"SCHEDULERD_LIMITS__NICE": "5", "SCHEDULERD_LIMITS__TIMEOUT": "1h"}
    ).limits

    assert (limits.memory, limits.cpu_time, limits.open_files) == (64_000_000, timedelta(), 64)
    assert (limits.nice, limits.timeout) == (5, timedelta(hours=1))


@pytest.mark.parametrize(
    ("host", "said", "is_open"),
    [
        ("127.0.0.1", None, True),
        ("localhost", None, True),
        ("::1", None, True),
        ("0.0.0.0", None, False),
        ("192.0.2.1", None, False),
        ("127.0.0.1", False, False),
        ("0.0.0.0", True, True),
    ],
)
def test_flow_files_come_through_the_web_where_nobody_else_reaches_it_or_somebody_said_so(
    host: str, said: bool | None, is_open: bool
) -> None:
    web = WebSettings(host=host, allow_upload=said)

    assert Settings(web=web).may_upload is is_open


def test_a_folder_whose_name_is_no_text_is_no_place_for_a_project(tmp_path: Path) -> None:
    place = tmp_path / "caf\udce9"

    with pytest.raises(BadDefinition, match="not UTF-8 text") as caught:
        load_settings(None, {}, cwd=place)

    assert caught.value.file == rf"{tmp_path}/caf\xe9"
    with pytest.raises(BadDefinition, match="a folder above it is not UTF-8 text"):
        load_settings(place / "config" / "schedulerd.toml", {}, cwd=tmp_path)


@pytest.mark.parametrize("variable", ["SCHEDULERD_FLOWS", "SCHEDULERD_WEB__HOST"])
def test_a_variable_that_is_no_text_is_told_by_its_name(variable: str) -> None:
    error = complaint(None, {variable: "caf\udce9"})

    assert (error.file, error.reason) == (f"environment variable {variable}", "is not UTF-8 text")


def test_a_variable_of_somebody_else_may_be_no_text(tmp_path: Path) -> None:
    load_settings(None, {"SCHEDULERD_FILE": "caf\udce9", "LESS": "\udcff"}, cwd=tmp_path)
