"""Parameters in runs of the daemon, made to fit what the hints of the flow ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.scenes import Spawning

HEAD = "import os, sys, logging, subprocess, threading\nfrom schedulerd import flow, task, get_run_logger\n"


@pytest.fixture
def spawning(tmp_path: Path) -> Iterator[Spawning]:
    with Spawning(tmp_path) as made:
        yield made


RICH = (
    HEAD
    + "from datetime import date\nfrom enum import Enum\nfrom pydantic import BaseModel, SecretStr\n"
    + "class Color(Enum):\n    RED = 'red'\n"
    + "class Source(BaseModel):\n    table: str\n    since: date\n    password: SecretStr\n"
    + "@flow{options}\ndef etl(source: Source, color: Color = Color.RED):\n"
    + "    print(type(source).__name__, getattr(source, 'since', None), color)\n"
)


def test_parameters_are_made_to_fit_models_and_enums(spawning: Spawning) -> None:
    source = {"table": "rows", "since": "2026-12-31", "password": "hush"}
    ran = spawning.flow(RICH.format(options=""), parameters={"source": source, "color": "red"})

    assert ran.lines() == ["Source 2026-12-31 Color.RED"]


def test_parameters_that_do_not_fit_a_model_fail_the_run_without_being_shown(spawning: Spawning) -> None:
    ran = spawning.flow(RICH.format(options=""), parameters={"source": {"password": "hush"}, "color": "red"})

    assert ran.end["s"] == "failed"
    assert "parameter 'source'.table: Field required (it is a dict)" in ran.end["m"]
    assert ran.end["f"]["file"].endswith("etl.py")
    assert ran.end["f"]["line"] == 13
    assert "hush" not in str(ran.records)


def test_parameters_of_a_flow_that_does_not_validate_come_as_they_are(spawning: Spawning) -> None:
    ran = spawning.flow(
        RICH.format(options="(validate_parameters=False)"), parameters={"source": {"table": 1}, "color": 7}
    )

    assert ran.lines() == ["dict None 7"]
