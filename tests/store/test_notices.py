"""What is to be told is written with what it tells of: for each rule that wants it, and once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest

from schedulerd.domain.ids import FlowKey
from schedulerd.domain.intakes import Intake
from schedulerd.domain.messages import NewMessage
from schedulerd.domain.notices import Happening, NoticeKind, NoticeRule
from schedulerd.domain.runs import Position
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import A_SECOND, NOW, a_file, a_flow, a_new_run
from tests.store.scenes import a_move, a_running_run, a_scene, add, add_in, add_scheduled, an_intake, claim

EVERYTHING: Final = NoticeRule(name="ops", on=frozenset(NoticeKind))


@pytest.fixture
def told(database: Database, database_url: str) -> Iterator[Database]:
    opened = Database(database_url, rules=[EVERYTHING])
    yield opened
    opened.close()


def kinds(tx: Transaction, rule: str = "ops") -> list[tuple[NoticeKind, str]]:
    return [(one.kind, one.subject) for one in tx.notices.first(rule, 100)]


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CRASHED, RunState.TIMED_OUT, RunState.CANCELLED])
def test_a_run_that_ended_badly_is_noted_by_its_move(told: Database, state: RunState) -> None:
    with told.write() as tx:
        add_in(tx, a_scene(tx).flow, state)

    with told.read() as tx:
        assert kinds(tx) == [(NoticeKind(state.value), "etl#1")]


def test_what_a_journal_tells_is_noted_once_however_often_it_is_taken(told: Database) -> None:
    with told.write() as tx:
        run = a_running_run(tx, a_scene(tx))
        ended = an_intake(run.key, moves=(a_move(RunState.FAILED),), reason="ValueError: no")
        tx.intake.take([ended])

    with told.write() as tx:
        tx.intake.take([ended])

    with told.read() as tx:
        (notice,) = tx.notices.first("ops", 10)
    assert (notice.kind, notice.words, notice.run) == (NoticeKind.FAILED, "ValueError: no", run.key)


def test_a_transaction_that_fails_leaves_no_notice(told: Database) -> None:
    def fail(tx: Transaction) -> None:
        add_in(tx, a_scene(tx).flow, RunState.FAILED)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), told.write() as tx:
        fail(tx)

    with told.read() as tx:
        assert tx.notices.waiting("ops") is None


def test_a_completed_run_has_recovered_when_the_one_before_it_failed(told: Database) -> None:
    with told.write() as tx:
        scene = a_scene(tx)
        for state in (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED, RunState.COMPLETED):
            add_in(tx, scene.flow, state)
        add_in(tx, scene.flow, RunState.COMPLETED)

    with told.read() as tx:
        assert kinds(tx) == [
            (NoticeKind.COMPLETED, "etl#1"),
            (NoticeKind.FAILED, "etl#2"),
            (NoticeKind.CANCELLED, "etl#3"),
            (NoticeKind.RECOVERED, "etl#4"),
            (NoticeKind.COMPLETED, "etl#5"),
        ]


def test_missed_times_of_a_schedule_are_one_notice_for_each_reason(told: Database) -> None:
    with told.write() as tx:
        scene = a_scene(tx)
        rows = [
            a_new_run(
                scene.flow,
                schedule=scene.schedule,
                slot=f"{second}",
                due_at=NOW + second * A_SECOND,
                state=RunState.SKIPPED,
                reason=reason,
            )
            for second, reason in enumerate(
                ["coalesced", "coalesced", "coalesced", "window", "paused", "blackout"]
            )
        ]
        tx.runs.add(rows)
        tx.runs.add(rows)

    with told.read() as tx:
        found = tx.notices.first("ops", 10)
    assert [(one.kind, one.subject, one.words.partition(" ")[0]) for one in found] == [
        (NoticeKind.MISSED, "etl-morning", "3"),
        (NoticeKind.MISSED, "etl-morning", "nobody"),
    ]


def test_a_due_time_that_is_skipped_by_the_claim_is_missed(told: Database) -> None:
    with told.write() as tx:
        scene = a_scene(tx)
        add_scheduled(tx, scene, NOW - A_SECOND)
        claim(tx)
        add_scheduled(tx, scene, NOW)
        claim(tx)

    with told.read() as tx:
        (notice,) = tx.notices.first("ops", 10)
    assert (notice.kind, notice.words) == (NoticeKind.MISSED, "the run before it was still going on")


def test_a_run_that_starts_late_is_noted_and_not_again_by_the_lookout(told: Database) -> None:
    late = Happening(kind=NoticeKind.LATE, at=NOW, subject="etl#1", delay=timedelta(hours=1))
    with told.write() as tx:
        key = add_scheduled(tx, a_scene(tx), NOW - timedelta(minutes=6))
        claim(tx)
        assert [notice.words for notice in tx.notices.first("ops", 9)] == ["started 6 min after it was due"]

        again = tx.notices.tell(
            [Happening(kind=late.kind, at=NOW, subject="x", delay=late.delay, mark=f"late {key}")]
        )

    assert again == 0


def test_a_run_that_starts_in_time_is_not_late(told: Database) -> None:
    with told.write() as tx:
        add_scheduled(tx, a_scene(tx), NOW - timedelta(minutes=4))
        claim(tx)

    with told.read() as tx:
        assert tx.notices.waiting("ops") is None


def test_rules_are_about_flows_and_tags(database: Database, database_url: str) -> None:
    failed = frozenset({NoticeKind.FAILED})
    rules = [
        NoticeRule(name="named", on=failed, flows=("pay*",)),
        NoticeRule(name="tagged", on=failed, tags=frozenset({"money", "ops"})),
        NoticeRule(name="both", on=failed, flows=("etl",), tags=frozenset({"money"})),
        NoticeRule(name="other", on=frozenset({NoticeKind.CRASHED})),
    ]
    told = Database(database_url, rules=rules)
    with told.write() as tx:
        (flow,) = tx.flows.put_file(a_file(a_flow("payroll", tags=("money",)), version="p" * 64), now=NOW)
        add_in(tx, flow, RunState.FAILED)
        add_in(tx, a_scene(tx).flow, RunState.FAILED)

    with told.read() as tx:
        found = {rule.name: kinds(tx, rule.name) for rule in rules}
    told.close()
    payroll = [(NoticeKind.FAILED, "payroll#1")]
    assert found == {"named": payroll, "tagged": payroll, "both": [], "other": []}


def test_what_is_told_waits_no_more_and_what_came_meanwhile_does(told: Database) -> None:
    with told.write() as tx:
        flow = a_scene(tx).flow
        add_in(tx, flow, RunState.FAILED)
        waiting = tx.notices.waiting("ops")
        assert waiting is not None
        add_in(tx, flow, RunState.CRASHED)
        tx.notices.told("ops", waiting.last, now=NOW)

    with told.read() as tx:
        assert kinds(tx) == [(NoticeKind.CRASHED, "etl#2")]


def test_notices_of_a_rule_that_is_no_more_are_forgotten(told: Database, database: Database) -> None:
    with told.write() as tx:
        add_in(tx, a_scene(tx).flow, RunState.FAILED)

    with database.write() as tx:
        tx.notices.forget(NOW)

    with told.read() as tx:
        assert tx.notices.waiting("ops") is None


def test_messages_to_several_addresses_count_once(database: Database) -> None:
    with database.write() as tx:
        for second in (1, 2):
            tx.messages.add(
                [
                    NewMessage(
                        rule="ops",
                        target=target,
                        shown="x",
                        made_at=NOW + second * A_SECOND,
                        title="",
                        body="",
                    )
                    for target in ("a", "b")
                ]
            )

    with database.read() as tx:
        assert tx.messages.made("ops", since=NOW) == [NOW + A_SECOND, NOW + 2 * A_SECOND]
        assert [one.target for one in tx.messages.unsent(10)] == ["a", "b", "a", "b"]


def test_how_long_a_flow_takes_is_told_by_its_last_completed_runs(database: Database) -> None:
    with database.write() as tx:
        scene = a_scene(tx)
        add_in(tx, scene.flow, RunState.FAILED)
        key = add(tx, scene.flow)
        claim(tx)
        start = an_intake(key, moves=(a_move(RunState.RUNNING),), tasks=(), started_at=NOW)
        end = Intake(
            run=key,
            was=Position(journal=100),
            now=Position(journal=200),
            moves=(a_move(RunState.COMPLETED, at=NOW + 7 * A_SECOND),),
        )
        tx.intake.take([start, end])

    with database.read() as tx:
        assert tx.runs.took(scene.flow) == [7.0]
        assert tx.runs.took_each([scene.flow, FlowKey(99)]) == {scene.flow: [7.0], FlowKey(99): []}
