"""Health: what is wrong, and whether runs are started all the same."""

import pytest

from schedulerd.domain.health import KEEPS_FROM_STARTING, MENDS, Health, Trouble, TroubleKind
from tests.builders import NOW


@pytest.mark.parametrize("kind", TroubleKind)
def test_each_trouble_says_what_to_do_and_whether_runs_are_started(kind: TroubleKind) -> None:
    trouble = Trouble(kind=kind, reason="it is so", since=NOW)

    assert MENDS[kind]
    assert Health(troubles=(trouble,)).is_ready is (kind not in KEEPS_FROM_STARTING)


def test_without_trouble_runs_are_started() -> None:
    assert Health().is_ready


def test_a_trouble_is_the_same_after_it_was_written_and_read() -> None:
    trouble = Trouble(kind=TroubleKind.SPACE, reason="no room", since=NOW, mend="make some")

    assert Trouble.from_json(trouble.as_json()) == trouble
