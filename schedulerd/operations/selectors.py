"""How people name a run: its id, a prefix of it, `etl#1842`, `etl#1842.3` for a child run, `@last`, `@last:etl`, `@last-failed`, `@last-failed:etl`."""

import re
from typing import Final

from schedulerd.domain.child_runs import AnyRun, ChildRun
from schedulerd.domain.runs import Run
from schedulerd.domain.states import BAD, RunState
from schedulerd.errors import Ambiguous, Conflict, NotFound
from schedulerd.sentences import said
from schedulerd.store.transaction import Transaction

_NUMBERS: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?", re.ASCII)
SHORTEST_PREFIX: Final = 6
_WHOLE_ID: Final = 32
_ID: Final = re.compile(r"[0-9a-f-]+", re.ASCII | re.IGNORECASE)
_LAST: Final[dict[str, frozenset[RunState]]] = {"@last": frozenset(), "@last-failed": BAD}
_FORMS: Final = said(
    "a run is named by its id, the first 6 or more characters of it, etl#12, etl#12.3 for a child run, @last, @last:etl or @last-failed:etl"
)


def find_run(tx: Transaction, selector: str) -> AnyRun:
    """The one run, or child run, that the selector names. Raises `NotFound`, and `Ambiguous` with the candidates."""
    if selector.startswith("@"):
        return _last(tx, selector)
    flow, hash_sign, numbers = selector.rpartition("#")
    if hash_sign and (found := _NUMBERS.fullmatch(numbers)) is not None:
        run = _numbered(tx, flow, int(found[1]))
        return run if found[2] is None else _child(tx, run, int(found[2]))
    if _ID.fullmatch(selector):
        return _by_prefix(tx, selector)
    raise NotFound("run", selector, mend=_mend(tx, selector))


def known_run(tx: Transaction, run: AnyRun | str) -> AnyRun:
    """The run, which is found where only its selector is known. Raises as `find_run` does."""
    return find_run(tx, run) if isinstance(run, str) else run


def find_whole(tx: Transaction, selector: str, *, instead: str = "") -> Run:
    """The same, but no child run: that has no process of its own. `instead` is what can be done with its root."""
    found = find_run(tx, selector)
    if isinstance(found, Run):
        return found
    mend = (
        said("`schedulerd {instead} {selector}`", instead=instead, selector=found.root.selector)
        if instead
        else said("see {selector}", selector=found.root.selector)
    )
    raise Conflict(
        said(
            "{selector} is a part of {root}, in the same process",
            selector=found.selector,
            root=found.root.selector,
        ),
        mend=mend,
    )


def _child(tx: Transaction, run: Run, number: int) -> ChildRun:
    try:
        return tx.child_runs.numbered(run, number)
    except NotFound as error:
        count = tx.child_runs.count(run.key)
        known = said("it has {count} child run(s)", count=count) if count else said("it has no child runs")
        raise NotFound("run", f"{run.selector}.{number}", mend=known) from error


def _last(tx: Transaction, selector: str) -> Run:
    word, _, flow = selector.partition(":")
    if word not in _LAST:
        raise NotFound("run", selector, near=sorted(_LAST), mend=_FORMS)
    if flow:
        tx.flows.get(flow)  # so that a name that nobody has is told apart from a flow without runs
    found = tx.runs.last(flow or None, _LAST[word] or None)
    if found is None:
        raise NotFound("run", selector, mend=said("`schedulerd runs list` shows which runs there are"))
    return found


def _numbered(tx: Transaction, flow: str, number: int) -> Run:
    tx.flows.get(flow)
    try:
        return tx.runs.by_number(flow, number)
    except NotFound as error:
        last = tx.runs.last(flow)
        known = said("its last run is {run}", run=last.selector) if last else said("it has not run yet")
        raise NotFound("run", f"{flow}#{number}", mend=known) from error


def _by_prefix(tx: Transaction, prefix: str) -> AnyRun:
    if len(prefix.replace("-", "")) < SHORTEST_PREFIX:
        raise NotFound(
            "run",
            prefix,
            mend=said(
                "give at least {shortest_prefix} characters of the id", shortest_prefix=SHORTEST_PREFIX
            ),
        )
    found: list[AnyRun] = [*tx.runs.find(prefix)]
    if not (found and _is_whole(prefix)):  # no two have the same
        found += tx.child_runs.find(prefix)
    if not found:
        raise NotFound("run", prefix, mend=said("`schedulerd runs list` shows which runs there are"))
    if len(found) > 1:
        raise Ambiguous("run", prefix, candidates=[f"{run.id} ({run.selector})" for run in found])
    return found[0]


def _is_whole(prefix: str) -> bool:
    return len(prefix.replace("-", "")) == _WHOLE_ID


def _mend(tx: Transaction, selector: str) -> str:
    if selector in tx.flows.names():
        return said("{name!r} is a flow; @last:{name} names its last run", name=selector)
    return _FORMS
