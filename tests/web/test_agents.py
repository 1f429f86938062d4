"""Agents on pages and in the API: how they stand, what they are at, and draining one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from schedulerd.domain.access import Principal, Role
from schedulerd.domain.agents import AgentBeat
from schedulerd.domain.audit import AuditFilter
from schedulerd.domain.ids import RunKey
from schedulerd.domain.states import RunState
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction
from schedulerd.version import __version__
from schedulerd.web.app import make_app
from tests.builders import BOOT, NOW
from tests.store.scenes import AGENT, add, claim, move
from tests.web.entering import visitor
from tests.web.page_scene import PageScene, Reader

TURNED: Final = "\u202eno " + "x" * 400
KIM = Principal(name="kim", role=Role.OPERATOR)


@pytest.fixture
def scene(sqlite_database: Database, tmp_path: Path) -> PageScene:
    """The scene with the agent that claimed its runs, and one that has been gone for an hour."""
    made = PageScene(sqlite_database, tmp_path)
    beat = AgentBeat(
        name=AGENT,
        host="web",
        pid=7,
        version=__version__,
        boot_id=BOOT,
        started_at=NOW,
        beat_at=made.clock.now(),
        status={"max_running": 4, "pools": {"db": 2}, "ready": True},
    )
    with sqlite_database.write() as tx:
        tx.agents.beat(beat)
        tx.agents.beat(replace(beat, name="gone", beat_at=NOW - timedelta(hours=1)))
    return made


@pytest.fixture
def reader(scene: PageScene) -> Iterator[Reader]:
    with scene.client() as reader:
        yield reader


def test_agents_are_listed_with_their_states_and_a_block_for_each_place(reader: Reader) -> None:
    page = reader.get("/agents").text

    assert page.count('data-agent="online"') == 1
    assert page.count('data-agent="offline"') == 1
    assert page.count('<a class="slot" data-state="running"') == 1
    assert page.count('<span class="slot"></span>') == 3 + 4


def test_an_agents_page_has_its_facts_its_runs_and_its_last_ones(scene: PageScene, reader: Reader) -> None:
    page = reader.see(f"/agents/{AGENT}")

    assert f"going-{scene.running.key}" in page.ids
    assert {f"run-{scene.running.key}", f"run-{scene.failed.key}"} <= set(page.ids)
    assert "Pool db 2" in page.text
    assert "gone" not in page.text
    reader.see("/agents/nobody", 404)


def test_draining_says_what_it_does_before_and_is_seen_everywhere_after(
    scene: PageScene, reader: Reader
) -> None:
    before = reader.see(f"/agents/{AGENT}/drain").text

    answer = reader.post(f"/agents/{AGENT}/drain", reason="a new <kernel>")

    assert "1 run goes on, and it waits for it:" in before
    assert scene.running.selector.replace("#", " #") in before
    assert (answer.status_code, answer.headers["location"]) == (303, f"/agents/{AGENT}")
    words = "drained by minji: a new <kernel>"
    assert words in reader.see(f"/agents/{AGENT}").text
    assert "It waits for 1 run." in reader.see(f"/agents/{AGENT}").text
    assert words in reader.see("/agents").text
    assert f"starts no runs: {words}" in reader.see("/").text
    assert (
        f"the agent {AGENT} is drained by minji: a new <kernel>"
        in reader.see(f"/runs/{scene.waiting.id}").text
    )
    assert f'schedulerd_agent_drained{{agent="{AGENT}"}} 1' in reader.get("/metrics").text
    (entry,) = [one for one in scene.operations.audit.list(AuditFilter()) if "drain" in one.change.what]
    assert (entry.who, entry.change.what, entry.change.target) == ("minji", "agents.drain", AGENT)


def test_a_drained_agent_without_runs_can_be_stopped(scene: PageScene, reader: Reader) -> None:
    scene.operations.agents.drain("gone", reason="", by=KIM)

    assert "It waits for no run: it can be stopped." in reader.see("/agents/gone").text


def test_an_agent_that_is_gone_is_forgotten_and_no_other(scene: PageScene, reader: Reader) -> None:
    offered = ["forget" in reader.see(f"/agents/{name}").ids for name in ("gone", AGENT)]

    refused = reader.post(f"/agents/{AGENT}/forget")
    done = reader.post("/agents/gone/forget")

    assert offered == [True, False]
    assert (refused.status_code, done.status_code) == (409, 303)
    assert "gone has given no sign" not in reader.see("/").text
    assert [one.agent.name for one in scene.operations.agents.list()] == [AGENT]


def test_resuming_takes_it_back(scene: PageScene, reader: Reader) -> None:
    scene.operations.agents.drain(AGENT, reason="", by=KIM)

    assert reader.post(f"/agents/{AGENT}/resume").status_code == 303
    assert 'data-agent="online"' in reader.get(f"/agents/{AGENT}").text
    assert reader.post(f"/agents/{AGENT}/resume").status_code == 409


def test_when_a_run_ends_is_estimated_by_how_long_others_took(scene: PageScene, reader: Reader) -> None:
    with scene.database.write() as tx:
        move(tx, scene.running.key, RunState.CRASHED)
        tx.runs.move(scene.waiting.key, RunState.CANCELLED, at=NOW, actor="test")
        for _ in range(3):
            move(tx, _begun(tx, scene, NOW), RunState.COMPLETED, at=NOW + timedelta(seconds=40))
        _begun(tx, scene, scene.clock.now())

    (soon,) = scene.operations.agents.get(AGENT).runs
    text = reader.see(f"/agents/{AGENT}/drain").text
    scene.clock.advance(seconds=41)

    assert soon.run.started_at is not None
    assert soon.ends_at == soon.run.started_at + timedelta(seconds=40)
    assert "usually ends" in text
    assert "takes longer than usual" in reader.see(f"/agents/{AGENT}/drain").text


def _begun(tx: Transaction, scene: PageScene, at: datetime) -> RunKey:
    add(tx, scene.flow)
    (run,) = claim(tx)
    move(tx, run.key, RunState.RUNNING, at=at)
    return run.key


def test_a_viewer_sees_agents_and_drains_none(scene: PageScene) -> None:
    with scene.client(Role.VIEWER) as viewer:
        page = viewer.get(f"/agents/{AGENT}").text

        assert "Drain…" not in page
        assert viewer.post(f"/agents/{AGENT}/drain", reason="x").status_code == 403


def test_a_lease_that_is_over_needs_attention(scene: PageScene, reader: Reader) -> None:
    before = reader.see("/").text
    scene.clock.advance(seconds=31)

    assert f"{AGENT} has given no sign of life" not in before
    assert f"{AGENT} has given no sign of life" in reader.see("/").text


@pytest.mark.parametrize(
    ("drained", "seconds", "word"), [(False, 0, "ready"), (True, 0, "drain"), (True, 31, "stopped")]
)
def test_a_web_process_apart_says_whether_an_agent_starts_runs(
    scene: PageScene, drained: bool, seconds: int, word: str
) -> None:
    if drained:
        scene.operations.agents.drain(AGENT, reason="", by=KIM)
    scene.clock.advance(seconds=seconds)
    apart = make_app(hosts={"localhost"}, clock=scene.clock, operations=scene.operations, is_apart=True)

    with visitor(apart) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (200 if word == "ready" else 503, f"{word}\n")


def test_a_reason_that_turns_text_round_turns_nothing_but_itself(scene: PageScene, reader: Reader) -> None:
    here, path = f"/agents/{AGENT}", "/schedules/etl-morning"
    reader.post(f"{here}/drain", reason=TURNED)
    reader.post(f"{path}/pause", reason=TURNED)
    with scene.database.write() as tx:
        move(tx, scene.running.key, RunState.CANCELLING, actor="lee", reason=TURNED)
        move(tx, scene.running.key, RunState.CANCELLED, actor="lee", reason=TURNED)

    run = f"/runs/{scene.running.id}"
    for page in (here, "/agents", path, run, f"{run}/moves"):
        text = reader.get(page).text
        assert text.count(TURNED) >= 1, page
        assert text.count(f"<bdi>{TURNED}</bdi>") == text.count(TURNED), page
    with scene.client(Role.ADMIN) as admin:
        text = admin.get("/activity").text
    assert len(re.findall("<(?:bdi|del|ins)>\u202e", text)) == text.count("\u202e") >= 2
