"""The settings: their names, kinds, defaults and meaning. The one place where a setting is documented."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from schedulerd.config.notify_settings import NotifySettings, notify_tables, rules_of
from schedulerd.config.reading import by_name, each, section, sections, setting
from schedulerd.config.values import (
    database_url,
    duration,
    folder,
    host_names,
    module,
    one_of,
    require_pool_name,
    size,
    some_text,
    some_time,
    storage,
    surrounding,
    switch,
    time_limit,
    whole_number,
    zone_name,
)
from schedulerd.domain.notices import NoticeRule
from schedulerd.domain.retention import Retention
from schedulerd.domain.sizes import Bytes

PREFIX: Final = "SCHEDULERD_"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_KEPT: Final = Retention()


class OnStop(StrEnum):
    """What becomes of live runs when the daemon stops."""

    LEAVE = "leave"
    DRAIN = "drain"
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreSettings:
    """Where runs, logs and schedules are remembered."""

    url: str = setting(
        database_url,
        default="sqlite:///schedulerd.db",
        is_secret=True,
        description="The database: `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST/NAME` (needs the extra "
        "`postgres`). Not given: `schedulerd.db` in `state_dir`.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class WebSettings:
    """The web interface and the REST API."""

    enabled: bool = setting(
        switch, default=True, description="Whether the daemon serves the web interface and the API."
    )
    host: str = setting(
        some_text,
        default="127.0.0.1",
        description="The address to listen on. The default is reachable from this machine only; another needs a user with a password (`schedulerd users add`).",
    )
    port: int = setting(
        whole_number(least=0, most=65_535),
        default=8080,
        description="The port to listen on; 0 takes any that is free.",
    )
    hosts: tuple[str, ...] = setting(
        host_names,
        default=(),
        description="Names, besides `localhost` and the address it listens on, by which it may be called, such as that of a "
        "proxy in front of it: `schedulerd.example.com`. A request for another is refused.",
    )
    proxies: tuple[str, ...] = setting(
        host_names,
        default=(),
        description="Addresses of proxies in front of it, such as `127.0.0.1`: their `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed, and nobody else's. Without it all that comes through a proxy comes from its "
        "address.",
    )
    rest_after: timedelta = setting(
        duration,
        default=timedelta(minutes=10),
        description="When nobody has asked it anything for so long, and no page is open, the web interface gives its memory back; "
        "whoever comes next waits a second for it. `0s`: never.",
    )
    allow_upload: bool | None = setting(
        switch,
        default=None,
        description="Whether admins may put flow files into the first of `flows` through the web interface, which is to say have "
        "any code run as the daemon's user. Without this line: only where it listens on this machine alone.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionSettings:
    """How long the history is kept."""

    runs: timedelta = setting(
        duration,
        default=_KEPT.runs,
        description="How long a run is kept after it has ended, with all that belongs to it.",
    )
    logs: timedelta = setting(
        duration, default=_KEPT.logs, description="How long the log of a run is kept after it has ended."
    )
    keep_per_flow: int = setting(
        whole_number(least=0),
        default=_KEPT.keep_per_flow,
        description="So many of the newest runs of each flow are kept, with their logs, however old they are.",
    )
    audit: timedelta = setting(
        duration,
        default=_KEPT.audit,
        description="How long it is known who changed what: the entries of `schedulerd audit`.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitSettings:
    """What a run may use whose flow or schedule file says nothing."""

    timeout: timedelta | None = setting(
        time_limit,
        default=None,
        description="How long a run may take; then it is `timed_out`. Like each of these it may be `unlimited`, and is "
        "when it is not given.",
    )
    memory: int | None = setting(
        surrounding("memory"),
        default=None,
        description="How much writable memory of its own each process of a run may have, such as `512MB`.",
    )
    cpu_time: timedelta | None = setting(
        time_limit, default=None, description="How much processor time each process of a run may use."
    )
    open_files: int | None = setting(
        surrounding("open_files"),
        default=None,
        description="How many files each process of a run may have open.",
    )
    nice: int | None = setting(
        surrounding("nice"),
        default=None,
        description="How nice runs are to other processes: 19 is nicest, below 0 only a daemon that is root can go.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the daemon and the command line go by. After `load_settings` every path in it is absolute."""

    flows: tuple[Path, ...] = setting(
        each(folder, least=1),
        default=(Path("flows"),),
        description="Folders that are watched for flow files. The `*.py` files directly in them are loaded, except "
        "those that begin with `_` or `.`; what lies in subfolders is for them to import.",
    )
    schedules: tuple[Path, ...] = setting(
        each(folder),
        default=(Path("schedules"),),
        description="Folders that are watched for schedule files (`*.toml`). Not given: `schedules` beside the "
        "settings file.",
    )
    crontabs: tuple[Path, ...] = setting(
        each(folder),
        default=(Path(),),
        description="Folders that are watched for crontabs (`*.crontab`). Not given: the folder of the settings file. "
        "Those in the folders of `schedules` count too.",
    )
    state_dir: Path = setting(
        folder,
        default=Path(".state"),
        description="Folder of what the daemon keeps: its lock and socket, the files of live runs, and the database "
        "unless `[store] url` says otherwise. It is made when it is missing.",
    )
    directory: Path = setting(
        folder,
        default=Path(),
        description="Folder in which runs work, so that a relative path in a flow or a command means one in it. "
        "Not given: the folder that relative paths of this file are relative to.",
    )
    timezone: str = setting(
        zone_name,
        default="UTC",
        description="Time zone of schedules that name none: a name of the IANA database, such as `Asia/Seoul`.",
    )
    max_running: int = setting(
        whole_number(least=1),
        default=16,
        description="How many runs may be live at the same time; more wait.",
    )
    pools: Mapping[str, int] = setting(
        by_name(require_pool_name, whole_number(least=1)),
        default={},
        description="Pools, each with how many places it has: so many runs of the flows and schedules that name it may "
        "be live at the same time, as in `database = 2`. See [schedule a flow](../howto/schedule-a-flow.md).",
    )
    on_stop: OnStop = setting(
        one_of(OnStop),
        default=OnStop.LEAVE,
        description="What becomes of live runs when the daemon stops: `leave` them running, to be taken up by the "
        "next daemon; `drain`: wait for them for `drain_timeout`; `cancel` them.",
    )
    drain_timeout: timedelta = setting(
        duration,
        default=timedelta(seconds=30),
        description="How long `drain` waits before it leaves the rest running.",
    )
    grace: timedelta = setting(
        duration,
        default=timedelta(seconds=10),
        description="How long a run that is cancelled or out of time has between SIGTERM and SIGKILL.",
    )
    hook_timeout: timedelta = setting(
        some_time,
        default=timedelta(minutes=1),
        description="How long the hooks of a run that has ended may take, all of them together; then they are ended, with "
        "what they have started.",
    )
    max_log: int = setting(
        size(least=1_000),
        default=Bytes(64_000_000),
        description="How much one run may write into its log, in all of its records and output: of what comes after that "
        "nothing is kept, and the log says so.",
    )
    max_result: int = setting(
        size(),
        default=Bytes(100_000_000),
        description="How large a value that a task or a flow returns may be to be kept with its run. One that is larger is "
        "shown in short, and its task runs again when the run is tried again. 0 keeps none.",
    )
    results: str = setting(
        storage,
        default="",
        description="Where values of more than 64 KiB that tasks and flows return are kept: a folder, or an URL as fsspec takes "
        "it, such as `s3://bucket/results`; without it a folder of `state_dir`. Credentials come from the environment. What "
        "lies outside of `state_dir` is not removed with its run.",
    )
    inspect_timeout: timedelta = setting(
        duration,
        default=timedelta(seconds=30),
        description="How long finding the flows in one file may take.",
    )
    min_free_space: int = setting(
        size(),
        default=Bytes(64_000_000),
        description="No runs are started while less than this is free on the file system of `state_dir`, or of a "
        "SQLite database: what is left is for the runs that go on, and for recording how they end. At most half of a "
        "small file system is asked for. Up to half of this, and at most 8 MiB, is kept in reserve in a file, `ballast`, that "
        "is given up when the disk is full. 0 turns this off.",
    )
    preload: tuple[str, ...] = setting(
        each(module),
        default=(),
        description="Modules that are imported once, before runs are forked, so that no run pays for them.",
    )
    spare_processes: int = setting(
        whole_number(least=0, most=1_000),
        default=4,
        description="How many processes are forked ahead, each to become the next run without a wait: as many as are often due "
        "in the same moment. Each takes some 2 MB of memory. 0 forks each run when it comes.",
    )
    store: StoreSettings = section(StoreSettings, description="Where runs are remembered.")
    retention: RetentionSettings = section(RetentionSettings, description="How long the history is kept.")
    limits: LimitSettings = section(
        LimitSettings,
        description="What a run may use whose flow, or whose command, says nothing of it.",
    )
    web: WebSettings = section(WebSettings, description="The web interface and the REST API.")
    notify: tuple[NotifySettings, ...] = sections(
        notify_tables,
        NotifySettings,
        description="Who is told of what, and by which service. Each is a table of its own, and there may be several; "
        "needs the extra `notify`. See [be told of failures](../howto/notifications.md).",
    )

    @property
    def may_upload(self) -> bool:
        """May flow files come through the web interface?"""
        if self.web.allow_upload is not None:
            return self.web.allow_upload
        return self.web.host in _LOOPBACK

    @property
    def notice_rules(self) -> tuple[NoticeRule, ...]:
        """What the rules of `notify` are; one without a name is called after its place."""
        return rules_of(self.notify)
