"""Trouble of the daemon is told by the outbox, and around it while there is no database."""

from collections.abc import Sequence
from datetime import UTC, timedelta

import pytest

from schedulerd.courier.errands import Answer, Errand
from schedulerd.domain.health import TroubleKind
from schedulerd.domain.notices import NoticeKind, NoticeRule
from schedulerd.scheduler.telling import Receiver
from schedulerd.scheduler.troubles import Troubles
from schedulerd.store.database import Database
from tests.fakes import FakeClock
from tests.store.test_faults import locked

RULE = NoticeRule(name="ops", on=frozenset({NoticeKind.TROUBLE}), group=timedelta(seconds=5))


class FakeJourney:
    """A courier that is back at once."""

    def __init__(self, errands: Sequence[Errand], *, is_done: bool) -> None:
        self.errands = errands
        self._is_done = is_done

    def look(self, now: float) -> list[Answer] | None:
        return [Answer(key=one.key, is_done=self._is_done, words="") for one in self.errands]

    def stop(self) -> list[Answer]:
        return self.look(0.0) or []


class Scene:
    """What hears of trouble, and what it sends off by itself."""

    def __init__(self, url: str, *rules: NoticeRule) -> None:
        self.database = Database(url, timeout=timedelta(milliseconds=50), rules=rules)
        self.clock, self.takes = FakeClock(), True
        self.sent: list[Sequence[Errand]] = []
        receivers = [Receiver(rule=rule, addresses=lambda: ["json://a/b"]) for rule in rules]
        self.troubles = Troubles(self.database, self.clock, receivers, self._send_off, host="box", zone=UTC)

    def _send_off(self, errands: Sequence[Errand], now: float) -> FakeJourney:
        self.sent.append(errands)
        return FakeJourney(errands, is_done=self.takes)

    def look(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.troubles.look(self.clock.now(), self.clock.monotonic())

    def noted(self) -> list[tuple[str, str]]:
        with self.database.read() as tx:
            return [(one.subject, one.words) for one in tx.notices.first("ops", 99)]


def test_trouble_goes_into_the_outbox_and_nothing_is_sent_around_it(
    database: Database, database_url: str
) -> None:
    scene = Scene(database_url, RULE)
    scene.troubles.heard(TroubleKind.SPACE, "no room")
    scene.troubles.heard(TroubleKind.SPACE, "is over")

    scene.look()
    scene.look(60)

    assert scene.noted() == [("space", "no room"), ("space", "is over")]
    assert scene.sent == []
    scene.database.close()


@pytest.mark.parametrize(
    ("rules", "kind"),
    [
        ((RULE,), TroubleKind.NOTICES),
        ((RULE,), TroubleKind.DRAIN),
        ((NoticeRule(name="ops", on=frozenset({NoticeKind.FAILED})),), TroubleKind.SPACE),
        ((), TroubleKind.SPACE),
    ],
    ids=[
        "trouble of notices themselves",
        "what somebody wanted so",
        "a rule that does not want it",
        "no rule",
    ],
)
def test_what_nobody_is_to_be_told_of_leaves_nothing(
    database: Database, database_url: str, rules: tuple[NoticeRule, ...], kind: TroubleKind
) -> None:
    scene = Scene(database_url, *rules)
    scene.troubles.heard(kind, "x")

    scene.look(60)

    assert scene.noted() == []
    assert scene.sent == []
    scene.database.close()


def test_while_the_database_is_away_it_is_told_around_it_and_not_again_when_it_is_back(
    database: Database, database_url: str
) -> None:
    scene = Scene(database_url, RULE)
    with locked(database_url, against_readers=False):
        scene.troubles.heard(TroubleKind.DATABASE, "does not answer")
        scene.look(1)
        early = list(scene.sent)
        scene.look(6)
        scene.look(1)
        scene.look(120)
    scene.troubles.heard(TroubleKind.DATABASE, "answers again")
    scene.look(1)

    assert early == []  # what happens within the rule's group is one message
    assert [len(one) for one in scene.sent] == [1]
    assert "does not answer" in scene.sent[0][0].body
    assert scene.noted() == [("database", "answers again")]
    scene.database.close()


def test_what_could_not_be_told_around_it_is_tried_again_later(database: Database, database_url: str) -> None:
    scene = Scene(database_url, RULE)
    scene.takes = False
    with locked(database_url, against_readers=False):
        scene.troubles.heard(TroubleKind.DATABASE, "does not answer")
        for _ in range(30):
            scene.look(5)
    scene.look(1)

    assert len(scene.sent) == 3  # once in a minute
    assert scene.noted() == [("database", "does not answer")]
    scene.database.close()
