"""The history: what a query finds, page by page, against a plain look at every run; and how it is counted."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import update

from schedulerd.domain.failures import Failure
from schedulerd.domain.ids import RunId, RunKey, uuid7
from schedulerd.domain.run_filters import parse_query
from schedulerd.domain.run_queries import RunQuery
from schedulerd.domain.runs import Run, RunFilter, Trigger
from schedulerd.domain.states import GROUPS, RunState
from schedulerd.errors import NotFound
from schedulerd.store import history
from schedulerd.store.database import Database
from schedulerd.store.history import Count, Found
from schedulerd.store.tables import runs
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, BOOT, NOW, a_file, a_flow, a_new_run
from tests.store.scenes import PATHS, move
from tests.web.queries import queries

TAGS: Final = {"etl": ("prod", "kr"), "etl-us": ("prod",), "report": ("kr",), "idle": ("spare",)}
A_MINUTE: Final = timedelta(minutes=1)
RUNS: Final = 120
LATER: Final = NOW + RUNS * A_MINUTE


def fill(tx: Transaction) -> None:
    """Runs of three flows, a minute apart, in all states and by several triggers; some took long, some erred."""
    keys = {name: tx.flows.put_file(made(name), now=NOW)[0] for name in TAGS}
    chance = random.Random(7)
    states = [*RunState, *[RunState.COMPLETED] * 12]
    for number in range(RUNS):
        at = NOW + number * A_MINUTE
        flow = keys[chance.choice(("etl", "etl", "etl-us", "report"))]
        trigger = chance.choice((Trigger.SCHEDULE, Trigger.SCHEDULE, Trigger.MANUAL, Trigger.AFTER))
        parameters = {"region": chance.choice(("kr", "us")), "day": number % 7} if number % 2 else {}
        identity = RunId(uuid7(at, entropy=number))
        (key,) = tx.runs.add(
            [a_new_run(flow, id=identity, created_at=at, trigger=trigger, due_at=at, parameters=parameters)]
        )
        assert key is not None
        come(tx, key, states[number % len(states)], at, seconds=number * 7)


def made(name: str) -> Any:
    """The file of a flow of this name, with its tags."""
    return a_file(a_flow(name, tags=TAGS[name]), version=name.ljust(64, "0"))


def come(tx: Transaction, key: RunKey, state: RunState, at: datetime, *, seconds: int) -> None:
    """Have the run come to the state; what fails has an error."""
    error = (
        Failure(type="KeyError", message=f'"region" {key % 3}, 100%') if state is RunState.FAILED else None
    )
    for step in PATHS[state]:
        when = at + seconds * A_SECOND if step is state else at
        reason = "overlap" if state is RunState.SKIPPED else ""
        assert move(tx, key, step, at=when, reason=reason, failure=error if step is state else None)
    owner = {"agent": "seoul-1" if key % 2 else "seoul-2", "boot_id": BOOT}
    tx._connection.execute(update(runs).where(runs.c.id == key, runs.c.pending_at.is_not(None)).values(owner))


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with runs of several kinds."""
    with database.write() as tx:
        fill(tx)
    return database


Sieve = Callable[[Run], bool]


def lasted(run: Run) -> timedelta:
    """How long it ran; less than nothing for one that never did."""
    return run.duration(now=LATER) or -A_SECOND


QUERIES: Final[dict[str, Sieve]] = {
    "": lambda run: True,
    "state:bad": lambda run: run.state in GROUPS["bad"],
    "state:ok": lambda run: run.state is RunState.COMPLETED,
    "state:active": lambda run: run.state in GROUPS["active"],
    "state:waiting": lambda run: run.state is RunState.SCHEDULED,
    "state:waiting,bad,running": lambda run: run.state in GROUPS["bad"] | {"scheduled", "running"},
    "state:skipped,completed": lambda run: run.state in (RunState.SKIPPED, RunState.COMPLETED),
    "flow:etl": lambda run: run.flow == "etl",
    "flow:etl*": lambda run: run.flow.startswith("etl"),
    "flow:nothing*": lambda run: False,
    "flow:idle": lambda run: False,
    "flow:etl,report state:bad": lambda run: run.flow in ("etl", "report") and run.state in GROUPS["bad"],
    "flow:etl state:active": lambda run: run.flow == "etl" and run.state in GROUPS["active"],
    "tag:prod": lambda run: "prod" in TAGS[run.flow],
    "tag:prod tag:kr": lambda run: run.flow == "etl",
    "trigger:manual": lambda run: run.trigger is Trigger.MANUAL,
    "trigger:manual,after state:ok": lambda run: (
        run.trigger is not Trigger.SCHEDULE and run.state is RunState.COMPLETED
    ),
    "trigger:schedule": lambda run: run.trigger is Trigger.SCHEDULE,
    "agent:seoul-2": lambda run: run.agent == "seoul-2",
    "since:90m": lambda run: run.created_at >= LATER - 90 * A_MINUTE,
    "until:30m state:bad": lambda run: run.created_at < LATER - 30 * A_MINUTE and run.state in GROUPS["bad"],
    "since:1970-01-01 until:2100-01-01": lambda run: True,
    "since:2100-01-01": lambda run: False,
    "since:1066-10-14 until:9999-01-01": lambda run: True,
    "dur:>5m": lambda run: lasted(run) >= timedelta(minutes=5),
    "dur:1m..6m flow:etl": lambda run: (
        run.flow == "etl" and timedelta(minutes=1) <= lasted(run) <= timedelta(minutes=6)
    ),
    'error:"\\"REGION\\" 1, 100%"': lambda run: run.failure is not None and '" 1' in run.failure.message,
    "error:keyerror": lambda run: run.failure is not None,
    'error:"KeyError: \\"region\\""': lambda run: run.failure is not None,
    "error:keyerror error:region flow:etl": lambda run: run.failure is not None and run.flow == "etl",
    "error:keyerror state:ok": lambda run: False,
    "error:100": lambda run: run.failure is not None,
    "error:nothing-like-it": lambda run: False,
    "param.region:kr": lambda run: run.parameters.get("region") == "kr",
    "param.day:3": lambda run: run.parameters.get("day") == 3,
    "param.nothing:3": lambda run: False,
    "report": lambda run: run.flow == "report",
    "overlap": lambda run: run.state is RunState.SKIPPED,
}


@pytest.mark.parametrize("limit", [7, 500])
def test_pages_down_and_up_hold_the_runs_of_a_query_each_once_newest_first(
    filled: Database, limit: int
) -> None:
    with filled.read() as tx:
        every = tx.runs.list(RunFilter(limit=500))
        for text, sieve in QUERIES.items():
            expected = [run.key for run in every if sieve(run)]
            down, up = down_and_up(tx, text, limit=limit)

            assert [key for page in down for key in page] == expected, text
            assert [key for page in reversed(up) for key in page] == expected, text
            assert all(len(page) == limit for page in down[:-1]), text


def down_and_up(tx: Transaction, text: str, *, limit: int) -> tuple[list[list[RunKey]], list[list[RunKey]]]:
    """All pages, from the newest run down and from the oldest up."""
    query = parse_query(text, now=LATER, zone=None)
    down = pages(lambda after: tx.history.page(query, now=LATER, limit=limit, after=after), end=-1)
    up = pages(
        lambda before: tx.history.page(query, now=LATER, limit=limit, before=before or RunKey(0)), end=0
    )
    return down, up


def pages(read: Callable[[RunKey | None], Found], *, end: int) -> list[list[RunKey]]:
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        page = read(cursor)
        found.append([run.key for run in page.runs])
        if not page.more:
            return found
        cursor = page.looked_to[0] if page.looked_to is not None else page.runs[end].key


def test_each_group_of_states_is_counted(filled: Database) -> None:
    with filled.read() as tx:
        every = tx.runs.list(RunFilter(limit=500))
        for text, sieve in QUERIES.items():
            if "state:" in text:
                continue
            counts = tx.history.counts(parse_query(text, now=LATER, zone=None), now=LATER)

            numbers = {
                group: sum(sieve(run) and run.state in GROUPS[group] for run in every)
                for group in ("active", "waiting", "bad", "ok", "neutral")
            }
            assert counts == {
                group: Count(number=number, at_least=False) for group, number in numbers.items()
            }, text


def test_the_states_of_a_query_do_not_narrow_its_counts(filled: Database) -> None:
    with filled.read() as tx:
        of_all, of_bad = (
            tx.history.counts(parse_query(text, now=LATER, zone=None), now=LATER)
            for text in ("flow:etl", "flow:etl state:bad")
        )

    assert of_all == of_bad


def test_a_count_ends_at_its_limit_and_says_so(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "COUNTED", 5)
    with filled.read() as tx:
        counts = {
            text: tx.history.counts(parse_query(text, now=LATER, zone=None), now=LATER)
            for text in ("", "flow:etl")
        }

    assert counts[""]["ok"] == counts["flow:etl"]["ok"] == Count(number=5, at_least=True)
    assert counts[""]["bad"] == Count(number=5, at_least=True)


@pytest.mark.parametrize("text", ["param.day:6 trigger:after", "param.day:6", "flow:etl* param.day:6"])
@pytest.mark.parametrize("upward", [False, True])
def test_a_search_that_finds_little_stops_and_says_how_far_it_looked_and_goes_on_from_there(
    filled: Database, monkeypatch: pytest.MonkeyPatch, text: str, upward: bool
) -> None:
    for bound in ("LOOKED_AT", "LOOKED_UP"):
        monkeypatch.setattr(history, bound, 10)
    query = parse_query(text, now=LATER, zone=None)
    cursor = RunKey(0) if upward else None
    found, stops = [], 0
    with filled.read() as tx:
        expected = {
            run.key
            for run in tx.runs.list(RunFilter(limit=500))
            if run.parameters.get("day") == 6
            and ("trigger" not in text or run.trigger is Trigger.AFTER)
            and ("flow" not in text or run.flow.startswith("etl"))
        }
        more = True
        while more:
            where = {"before" if upward else "after": cursor}
            page = tx.history.page(query, now=LATER, limit=50, **where)
            found += [run.key for run in page.runs]
            more = page.more
            if page.looked_to is not None:
                stops += 1
                cursor, at = page.looked_to
                assert tx.runs.by_key(cursor).created_at == at

    assert set(found) == expected
    assert len(found) == len(expected)
    assert stops >= 1


@pytest.mark.parametrize(
    ("text", "said"),
    [("flow:repotr", "report"), ("tag:prdo", "prod"), ("schedule:etl-mornin", "there is no schedule")],
)
def test_what_nobody_knows_is_refused_with_what_comes_near(filled: Database, text: str, said: str) -> None:
    query = parse_query(text, now=LATER, zone=None)
    with filled.read() as tx, pytest.raises(NotFound, match=said):
        tx.history.page(query, now=LATER, limit=5)


def test_a_history_in_which_nothing_is_has_one_empty_page(database: Database) -> None:
    with database.read() as tx:
        page = tx.history.page(parse_query("", now=NOW, zone=None), now=NOW, limit=5)
        counts = tx.history.counts(parse_query("dur:>1s", now=NOW, zone=None), now=NOW)

    assert page == Found(runs=[], more=False)
    assert set(counts.values()) == {Count(number=0, at_least=False)}


def test_an_error_is_found_by_its_kind_and_no_run_is_looked_into(filled: Database) -> None:
    query = parse_query("error:keyerror", now=LATER, zone=None)
    with filled.read() as tx, queries() as made_ones:
        found = tx.history.page(query, now=LATER, limit=2)

    assert len(found.runs) == 2
    assert [one for one in made_ones if "LIKE" in one.upper() and "error_kinds" not in one] == []


ERRORS: Final = (
    "cannot read /x/deadbeef12",
    "cannot read /x/dead",
    " \u3000\n\t at 0xDEAD\nrow 17",
    "row 17 of 40 (#)",
    "row 18\r of 50 % _ \\ \" '",
    "a\x00b 7",
    "no 값 7 here\u2028and there ",
    "0x1error of 17",
    "",
)
TEXTS: Final = (
    *(
        "#",
        "no #",
        "dead",
        "DEADB",
        "17",
        "row 17",
        "of 17",
        "error: 0",
        "error: row 17",
        "error: row",
        "error: at 0xd",
    ),
    *(
        "(#)",
        '\\ "',
        "\r of 5",
        "% _",
        "값 7",
        "here\u2028and",
        "there ",
        "\ufffdb 7",
        "1error",
        "traceback",
        "7 in trace",
    ),
    *("error", "valueerror: ", ": no", "read /x/d", "be", "x"),
)


def test_an_error_is_found_by_each_text_in_its_type_and_first_line_and_by_no_other(
    database: Database,
) -> None:
    with database.write() as tx:
        flow = tx.flows.put_file(made("etl"), now=NOW)[0]
        errors: dict[RunKey, str] = {}
        for message in ERRORS:
            (key,) = tx.runs.add([a_new_run(flow)])
            assert key is not None
            errors[key] = message
            failure = Failure(type="ValueError", message=message, traceback="row 17 in traceback #")
            for step in PATHS[RunState.FAILED]:
                move(tx, key, step, failure=failure if step is RunState.FAILED else None)

    with database.read() as tx:
        for text in TEXTS:
            query = RunQuery(errors=(text,))
            found = [run.key for run in tx.history.page(query, now=LATER, limit=50).runs]
            expected = [key for key, message in errors.items() if text.lower() in first_line(message).lower()]
            assert sorted(found) == expected, text


def first_line(message: str) -> str:
    """The type and the first line of such an error, as they are stored."""
    first = message.strip().split("\n")[0]
    return f"ValueError: {first}".replace("\x00", "\ufffd")
