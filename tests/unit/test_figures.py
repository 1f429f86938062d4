"""Figures of benchmarks: when a target is met, and how they are told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.figures import Bound, Figure, Limit, append_json, table

RUN: Final = Figure(
    benchmark="runs",
    what="a recorded run, CPU",
    value=4.0,
    unit="ms",
    limit=Limit(what="python3 -I -c pass CPU", value=10.0, unit="ms"),
    target=0.5,
)
MEMORY: Final = Figure(benchmark="idle", what="memory", value=150.0, unit="MiB", target=100)
RATE: Final = replace(RUN, what="runs", value=30.0, unit="/s", target=4.0, bound=Bound.AT_LEAST)


def test_what_is_compared_with_the_target_is_the_ratio_to_the_limit_or_without_one_the_figure() -> None:
    assert (RUN.ratio, RUN.is_met) == (0.4, True)
    assert (MEMORY.ratio, MEMORY.is_met) == (150.0, False)
    assert (RATE.ratio, RATE.is_met) == (3.0, False)


def test_leeway_makes_a_target_easier_on_whichever_side_it_is() -> None:
    assert MEMORY.is_met_with(2.0)
    assert not MEMORY.is_met_with(1.4)
    assert RATE.is_met_with(2.0)
    assert not RATE.is_met_with(1.3)


def test_of_two_measurements_the_better_one_is_that_nearer_to_its_target() -> None:
    slower, fewer = replace(RUN, value=9.0), replace(RATE, value=3.0)

    assert RUN.better(slower) == slower.better(RUN) == RUN
    assert RATE.better(fewer) == fewer.better(RATE) == RATE


def test_the_table_has_a_line_for_each_figure_under_its_benchmark_and_fits_120_columns() -> None:
    long = replace(
        RATE, limit=Limit(what="python3 -I -c pass, 16 cores", value=123_456.7, unit="/s"), value=9e6
    )

    lines = table([RUN, long, MEMORY]).splitlines()

    assert [line.split()[0] for line in lines] == ["what", "runs", "a", "runs", "idle", "memory"]
    assert " ".join(lines[2].split()[-4:]) == "0.40 <= 0.50 met"
    assert lines[-1].endswith("<= 100 MISSED")
    assert all(len(line) <= 120 for line in lines)


def test_what_was_found_is_added_to_a_file_a_line_of_json_for_each_figure(tmp_path: Path) -> None:
    file = tmp_path / "found.json"

    append_json(file, [replace(RUN, details={"daemon_ms": 1.5})])
    append_json(file, [MEMORY])

    first, second = map(json.loads, file.read_text().splitlines())
    assert (first["benchmark"], first["ratio"], first["limit_value"], first["daemon_ms"]) == (
        "runs",
        0.4,
        10,
        1.5,
    )
    assert (second["value"], second["limit"], second["is_met"]) == (150.0, None, False)
