"""Retries: an attempt more for what may mend, none for what does not."""

from pathlib import Path

import schedulerd.testing

FLAKY = Path(__file__).parents[1] / "flaky_source.py"


def test_a_source_that_comes_back_costs_attempts_and_nothing_else():
    with schedulerd.testing.history() as seen:
        run = seen.run(FLAKY, {"outages": 1})

    assert run.result == "seoul: 21.5 °C"
    assert run.task("fetch").attempt == 2


def test_a_source_that_says_no_is_not_asked_again():
    with schedulerd.testing.history() as seen:
        run = seen.run(FLAKY, {"city": "atlantis"})

    assert run.state == "failed"
    assert run.task("fetch").attempt == 1
    assert run.failure.message == "404: there is no atlantis"
    assert "nobody knows the weather: Refused: 404: there is no atlantis" in run.log
