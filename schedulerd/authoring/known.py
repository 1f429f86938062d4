"""How tasks of an earlier attempt of a flow run ended: those that completed do not run again."""

from __future__ import annotations

from schedulerd.authoring.keeping import call_of, call_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from schedulerd.authoring.keeping import Keeper


class Earlier:
    """A call that completed before: with what it was made, what gives its value, and when it began and ended, where known.

    The times are in microseconds since 1970.
    """

    __slots__ = ("began_at", "digest", "ended_at", "load")

    def __init__(
        self, digest: str, load: Callable[[], Any], *, began_at: int | None, ended_at: int | None
    ) -> None:
        self.digest = digest
        self.load = load
        self.began_at = began_at
        self.ended_at = ended_at


class Known:
    """A call of a task is told by the task's name, by the how-manieth it is, and by what it is given, where that is plain.

    A flow that is tried again goes the same way; where it does not, a call with other arguments runs. `holds`: this
    process may make another attempt itself, and holds the values for it.
    """

    def __init__(self, *, holds: bool = True) -> None:
        self._holds = holds
        self._completed: dict[tuple[int, str], Earlier] = {}
        self._counts: dict[str, int] = {}
        self._prefix = ""

    @classmethod
    def of_earlier(cls, values: Iterable[Mapping[str, str]], keeper: Keeper) -> Known:
        """What was kept of an earlier attempt: of each `call`, `kind`, and `content` (in Base64) or `file`; `began`, `ended`."""
        from base64 import b64decode

        known = cls(holds=False)  # where there was an earlier process, the next attempt is another one
        for one in values:
            digest, index, name = call_parts(one["call"])
            content, file, kind = b64decode(one.get("content", "")), one.get("file", ""), one["kind"]
            load = _later(keeper, kind, content, file)
            known._completed[index, name] = Earlier(
                digest, load, began_at=_time(one, "began"), ended_at=_time(one, "ended")
            )
        return known

    def within(self, prefix: str, *, holds: bool) -> Known:
        """Of the tasks of a flow that is called within this one, whose names are told from others by the prefix.

        `holds`: it may be tried again itself, in this process.
        """
        inner = Known(holds=self._holds or holds)
        inner._completed = self._completed
        inner._prefix = self._prefix + prefix
        return inner

    def again(self) -> None:
        """The flow begins once more."""
        self._counts.clear()

    def next_index(self, name: str) -> int:
        """The how-manieth call of a task of this name comes now, from 0."""
        index = self._counts.get(name, 0)
        self._counts[name] = index + 1
        return index

    def call(self, name: str, index: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """How this call is told from others."""
        return call_of(f"{self._prefix}{name}", index, args, kwargs)

    def found(self, call: str) -> Earlier | None:
        """This call, where it completed before, with the same arguments as far as is known."""
        if not self._completed:
            return None
        digest, index, name = call_parts(call)
        known = self._completed.get((index, name))
        if known is None or not (known.digest == digest or "-" in (known.digest, digest)):
            return None
        return known

    def keep(self, call: str, value: Any, *, began_at: int, ended_at: int) -> None:
        """It completed with this value, which is held where this process may make another attempt."""
        if not self._holds:
            return
        digest, index, name = call_parts(call)
        self._completed[index, name] = Earlier(digest, lambda: value, began_at=began_at, ended_at=ended_at)


def _time(said: Mapping[str, str], name: str) -> int | None:
    return int(said[name]) if said.get(name) else None


def _later(keeper: Keeper, kind: str, content: bytes, file: str) -> Callable[[], Any]:
    return lambda: keeper.load(kind, content, file)
