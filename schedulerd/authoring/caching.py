"""How a task's values are kept, so that it need not run again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schedulerd.authoring.cache_policies import (
    DEFAULT,
    INPUTS,
    NO_CACHE,
    CacheKeyFnPolicy,
    CachePolicy,
    NoCache,
    stable_hash,
)
from schedulerd.authoring.keeping import FOLDER_VARIABLE
from schedulerd.authoring.options import flag_of, seconds_of
from schedulerd.authoring.redacting import given
from schedulerd.authoring.run_names import arguments_of
from schedulerd.authoring.serializing import NotSerializable, deserialize, serialize
from schedulerd.authoring.storages import read_from, storage_of, write_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from typing import Any

    from schedulerd.authoring.running import TaskRun

_WARNING: Final = 30
_A_SECOND: Final = 1_000_000


class Caching:
    """The cache of one task: by which key, for how long, and whether what is there counts."""

    def __init__(
        self, policy: CachePolicy, *, expiration: float | None, refresh: bool, storage: str | None = None
    ) -> None:
        self.storage = storage
        self.policy = policy
        self.expiration = expiration
        self.refresh = refresh

    def key_of(self, run: TaskRun) -> str | None:
        """The key of this task run; None, with a warning, when it cannot be made."""
        try:
            inputs = arguments_of(run.task.fn, run.args, run.kwargs)
            return self.policy.compute_key(run, inputs, run.context.parameters)
        except TypeError:  # arguments that do not fit: the call itself will say so
            return None
        except Exception as error:  # border: a cache_key_fn of the user's, and values that are hashed
            run.context.log(_WARNING, f"{run.name} is not cached: its key cannot be made: {error}")
            return None

    def find(self, key: str | None, *, now: int) -> tuple[Any] | None:
        """The value that is kept by this key and has not expired by `now`, in microseconds, or None."""
        if key is None or self.refresh:
            return None
        return _read(self._file(key), now=now)

    def keep(self, key: str, value: Any, run: TaskRun) -> None:
        """Keep the value; one that cannot be kept is a warning."""
        expires = (
            "" if self.expiration is None else str(run.context.now() + round(self.expiration * _A_SECOND))
        )
        try:
            kind, content = serialize(value)
            if given.is_in(content):
                raise NotSerializable("a secret stands in it")
            place, _, name = self._file(key).rpartition("/")
            write_to(place, name, f"{kind} {expires}\n".encode() + content)
        except (NotSerializable, OSError) as error:
            run.context.log(_WARNING, f"the value of {run.name} is not kept: {error}")

    def _file(self, key: str) -> str:
        return f"{self.storage or results_folder()}/cache/{stable_hash(key)}"


def caching_of(
    *,
    cache_policy: CachePolicy | None = None,
    cache_key_fn: Callable[..., Any] | None = None,
    cache_expiration: timedelta | float | None = None,
    refresh_cache: bool | None = None,
    persist_result: bool | None = None,
    result_storage: Any = None,
) -> Caching | None:
    """The cache that these options of `@task` ask for; None where they ask for none.

    `persist_result=False` means no cache, whatever else is given; `cache_key_fn` comes before `cache_policy`;
    an expiration alone means a cache by the arguments, and `persist_result=True` alone Prefect's default policy.
    """
    if cache_policy is not None and not isinstance(cache_policy, CachePolicy):
        raise TypeError(f"cache_policy must be a policy such as INPUTS, not {cache_policy!r}")
    if cache_key_fn is not None and not callable(cache_key_fn):
        raise TypeError(f"cache_key_fn must be a function, not {cache_key_fn!r}")
    expiration = None if cache_expiration is None else seconds_of("cache_expiration", cache_expiration)
    refresh = bool(flag_of("refresh_cache", refresh_cache))
    wanted = flag_of("persist_result", persist_result)
    policy = cache_policy
    if cache_key_fn is not None:
        policy = CacheKeyFnPolicy(cache_key_fn)
    if wanted is False:
        policy = NO_CACHE
    if policy is None and expiration is not None:
        policy = INPUTS
    storage = storage_of("result_storage", result_storage)
    if policy is None and (wanted or storage is not None):
        policy = DEFAULT
    if policy is None or isinstance(policy, NoCache):
        return None
    return Caching(policy, expiration=expiration, refresh=refresh, storage=storage)


def results_folder() -> Path:
    """Where values are kept: what the daemon says, or in plain Python a folder of the user's cache."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "schedulerd" / "results"


def _read(file: str, *, now: int) -> tuple[Any] | None:
    try:
        head, _, content = read_from(file).partition(b"\n")
        kind, expires = head.decode().split(" ")
        if expires and now >= int(expires):
            return None
        return (deserialize(kind, content),)
    except OSError:
        return None
    except Exception:  # border: a pickle of code that has changed since, or half of one; it is made anew
        return None
