"""How an agent stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schedulerd.domain.agents import OFFLINE_AFTER, Agent, AgentState, Drain
from tests.builders import NOW

AGENT = Agent(
    name="web-1", host="web", pid=1, version="2.0", boot_id="b", started_at=NOW, beat_at=NOW - OFFLINE_AFTER
)
DRAIN = Drain(at=NOW, by="minji", reason="a new kernel")
SILENT = replace(AGENT, beat_at=NOW - OFFLINE_AFTER - timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("agent", "version", "state"),
    [
        (AGENT, "2.0", AgentState.ONLINE),
        (AGENT, "2.1", AgentState.OTHER_VERSION),
        (replace(AGENT, drain=DRAIN), "2.1", AgentState.DRAINING),
        (SILENT, "2.0", AgentState.OFFLINE),
        (replace(SILENT, drain=DRAIN), "2.1", AgentState.OFFLINE),
    ],
    ids=["well", "of another version", "drained", "gone", "gone while it was drained"],
)
def test_what_makes_most_of_a_difference_is_its_state(agent: Agent, version: str, state: AgentState) -> None:
    assert agent.state(now=NOW, version=version) is state


def test_a_drain_says_who_wanted_it_and_why() -> None:
    assert DRAIN.told("web-1") == "the agent web-1 is drained by minji: a new kernel"
    assert replace(DRAIN, reason="").told("web-1") == "the agent web-1 is drained by minji"
