"""Limits, approvals and runs of other flows in plain Python: what is done there, and what is said where nothing can be."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schedulerd import flow, pause_flow_run
from schedulerd.authoring.asking import Channel, answer_by
from schedulerd.authoring.loading import loading
from schedulerd.authoring.refusals import MissingContext, Refused
from schedulerd.concurrency.asyncio import concurrency as aconcurrency
from schedulerd.concurrency.asyncio import rate_limit as arate_limit
from schedulerd.concurrency.sync import SlotsNotHad, concurrency, rate_limit
from schedulerd.deployments import run_deployment, run_flow


class Answers:
    """A channel that answers as it was told to, in order, and remembers what it was asked."""

    is_by_daemon = True

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []

    def ask(self, kind: str, body: Any, **more: Any) -> Any:
        """The next answer."""
        self.asked.append((kind, dict(body)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, kind: str, **said: Any) -> None:
        """Remember it."""
        self.asked.append((kind, said))


@pytest.fixture
def answering() -> Any:
    """Have this process ask there."""

    def use(*answers: Any) -> Answers:
        channel: Channel = Answers(*answers)
        answer_by(channel)
        return channel  # type: ignore[return-value]

    yield use
    answer_by(None)


RUN: dict[str, Any] = {
    "id": str(UUID(int=1)),
    "name": "load#1",
    "flow": "load",
    "state": "failed",
    "reason": "ValueError: no",
    "parameters": {},
    "result": None,
}


def test_without_a_daemon_a_limit_is_a_warning_and_with_strict_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with concurrency(["db", "api"]):
        rate_limit("api")
    with concurrency([]):
        pass

    assert caplog.text.count("is kept among runs of the daemon only") == 2
    with pytest.raises(MissingContext, match="none runs this flow"), concurrency("db", strict=True):
        pass


def test_slots_are_given_back_whatever_happens_in_the_block(answering: Any) -> None:
    channel = answering({"id": "7.1", "missing": []}, {"id": "7.2", "missing": ["x"]}, TimeoutError())

    with pytest.raises(KeyError), concurrency("db"):
        raise KeyError

    async def holds() -> None:
        async with aconcurrency("db"):
            pass
        with pytest.raises(SlotsNotHad, match="no slots of api were to be had within 0 s"):
            await arate_limit("api", timeout_seconds=0)

    asyncio.run(holds())
    told = [said for kind, said in channel.asked if kind == "free"]
    assert told == [{"id": "7.1"}, {"id": "7.2"}]


def test_what_comes_of_the_other_run_is_told_or_raised(answering: Any) -> None:
    channel = answering({"run": RUN}, {"run": RUN}, {"run": RUN}, TimeoutError(), {"run": RUN})

    with pytest.raises(Exception, match=r"load#1 is failed: ValueError: no"):
        run_flow("load", {"day": date(2026, 11, 27)})
    assert channel.asked[0][1]["parameters"] == {"day": "2026-11-27"}
    found = run_deployment("load", timeout=0.1)
    assert (found.state_name, found.state.is_failed(), found.is_completed) == ("failed", True, False)
    with pytest.raises(TypeError, match="has to be JSON"):
        run_flow("load", {"x": object()})


def test_while_a_file_is_looked_at_nothing_is_asked(tmp_path: Path) -> None:
    with loading(tmp_path / "etl.py"):
        with concurrency("db", strict=True):
            assert run_flow("load").state
        rate_limit("api", strict=True)


def test_an_approval_needs_a_run_and_somebody_to_ask() -> None:
    with pytest.raises(MissingContext, match="for code within a flow"):
        pause_flow_run()

    @flow
    def asks() -> None:
        pause_flow_run()

    @flow
    def never() -> None:
        pause_flow_run(timeout=0)

    with pytest.raises(Refused, match="no daemon runs it that could be told"):
        asks()
    with pytest.raises(ValueError, match="timeout has to be seconds"):
        never()


def test_what_does_not_fit_is_asked_again_with_the_reason_until_the_same_time(answering: Any) -> None:
    given = [{"approved": True, "given": {"value": value}} for value in ("sesame", "also", 3)]
    channel = answering(*given)

    @flow
    def asks() -> Any:
        return pause_flow_run(wait_for_input=int, key="release", message="how many?")

    assert asks() == 3
    first, second, third = (body for _, body in channel.asked)
    schema = {
        "type": "object",
        "properties": {"value": {"type": "integer"}},
        "required": ["value"],
        "additionalProperties": False,
    }
    assert first == {"key": "release", "until": first["until"], "message": "how many?", "schema": schema}
    misfit = {"misfit": "value: a str is not a whole number"}
    assert second == first | misfit | {"key": "release again 2", "repeats": "release"}
    assert third == first | misfit | {"key": "release again 3", "repeats": "release again 2"}
