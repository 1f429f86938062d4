"""Slots are counted from live runs and their present attempts; approvals and uses of secrets go with the run."""

from dataclasses import replace

import pytest

from schedulerd.domain.ids import RunKey
from schedulerd.domain.limits import Limits
from schedulerd.domain.named_limits import NamedLimit
from schedulerd.domain.questions import AWAIT_RUN, PAUSE, AskedQuestion, Question
from schedulerd.domain.secrets import SecretUse
from schedulerd.domain.states import RunState
from schedulerd.errors import Conflict, NotFound
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from tests.builders import BOOT, NOW
from tests.store.scenes import AGENT, a_scene, add, add_in, an_intake

DB = NamedLimit(name="db", slots=2)
ASKED = Question(id="7.1", kind="slot.take", asked_at=NOW)


def holding(tx: Transaction, occupy: int = 1) -> AskedQuestion:
    """A run that goes on and holds slots."""
    key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
    asked = AskedQuestion(run=key, attempt=tx.runs.by_key(key).attempt, question=ASKED)
    tx.named_limits.hold(asked, ["db"], occupy)
    return asked


def test_a_limit_is_kept_as_it_was_set_last(database: Database) -> None:
    with database.write() as tx:
        rate = NamedLimit(name="api", slots=5, per_second=0.5, level=1.25, level_at=NOW)
        tx.named_limits.put(DB)
        tx.named_limits.put(replace(DB, slots=3))
        tx.named_limits.put(rate)

        assert [one.limit for one in tx.named_limits.all()] == [rate, replace(DB, slots=3)]
        assert tx.named_limits.remove("db")
        assert not tx.named_limits.remove("db")
        with pytest.raises(NotFound, match="there is no limit 'db'"):
            tx.named_limits.get("db")


@pytest.mark.parametrize("end", [RunState.COMPLETED, RunState.CRASHED, RunState.RETRYING])
def test_slots_are_free_when_the_attempt_ends_however_it_ends(database: Database, end: RunState) -> None:
    with database.write() as tx:
        tx.named_limits.put(DB)
        asked = holding(tx, occupy=2)
        assert tx.named_limits.taken("db") == 2
        (use,) = tx.named_limits.all()
        assert [(one.run_name, one.occupy) for one in use.held] == [("etl#1", 2)]

        tx.runs.move(asked.run, end, at=NOW, actor="test")

        assert tx.named_limits.taken("db") == 0
        assert tx.named_limits.all()[0].held == ()


def test_what_is_given_back_is_free_at_once(database: Database) -> None:
    with database.write() as tx:
        tx.named_limits.put(DB)
        asked = holding(tx)

        tx.intake.take([replace(an_intake(asked.run), freed=("7.1", "9.9"))])

        assert tx.named_limits.taken("db") == 0


def test_what_another_attempt_left_behind_counts_for_nothing(database: Database) -> None:
    with database.write() as tx:
        asked = holding(tx)
        tx.named_limits.hold(replace(asked, attempt=asked.attempt + 7), ["db"], 5)

        assert tx.named_limits.taken("db") == 1


def test_a_decision_is_remembered_by_its_key(database: Database) -> None:
    with database.write() as tx:
        key = add(tx, a_scene(tx).flow)
        tx.approvals.put(key, "release", {"approved": True, "given": {"rows": 5}}, at=NOW)

        assert tx.approvals.find(key, "release") == {"approved": True, "given": {"rows": 5}}
        assert tx.approvals.find(key, "other") is None


def test_secrets_are_kept_sealed_and_who_was_given_them_is_known_until_the_end(database: Database) -> None:
    with database.write() as tx:
        tx.secrets.set("key", b"\x00sealed", at=NOW)
        with pytest.raises(Conflict, match="a secret 'key' already"):
            tx.secrets.set("key", b"x", at=NOW, overwrite=False)
        key = add_in(tx, a_scene(tx).flow, RunState.RUNNING)
        use = SecretUse(run=key, attempt=1, name="key", sealed=b"\x00sealed")
        tx.secrets.note_use(use)
        tx.secrets.note_use(use)

        assert [(one.name, one.sealed) for one in tx.secrets.all()] == [("key", b"\x00sealed")]
        assert tx.secrets.uses() == [use]
        tx.runs.move(key, RunState.COMPLETED, at=NOW, actor="test")
        assert tx.secrets.uses() == []
        assert tx.secrets.remove("key")
        with pytest.raises(NotFound):
            tx.secrets.get("key")


@pytest.mark.parametrize("kind", [PAUSE, AWAIT_RUN])
def test_a_run_that_waits_for_another_or_for_somebody_lends_its_place(database: Database, kind: str) -> None:
    def claim(tx: Transaction) -> list[RunKey]:
        limits = Limits(max_running=1)
        return [one.key for one in tx.runs.claim(9, now=NOW, agent=AGENT, boot_id=BOOT, limits=limits)]

    with database.write() as tx:
        flow = a_scene(tx).flow
        first, second = add(tx, flow), add(tx, flow)
        assert claim(tx) == [first]
        assert claim(tx) == []
        asked = replace(ASKED, kind=kind)
        tx.intake.take([replace(an_intake(first), questions=(asked,))])

        assert claim(tx) == [second]
        (question,) = tx.questions.all()
        tx.questions.answer(question, {})
        third = add(tx, flow)
        assert claim(tx) == []
        assert tx.runs.by_key(third).state is RunState.SCHEDULED
