"""Memory that runs share with the spawner, under each Python that is at hand: what it does to counts is its own affair."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import schedulerd.engine.immortal

PROGRAM: Final = """
import argparse, ast, importlib.util, json, logging, os, re, resource, sys, typing, unittest.mock  # something to load

spec = importlib.util.spec_from_file_location("immortal", sys.argv[1])
immortal = importlib.util.module_from_spec(spec)
spec.loader.exec_module(immortal)

def functions():
    return [one for module in list(sys.modules.values()) for one in list(vars(module).values()) if callable(one)]

def is_counted(one):
    before = sys.getrefcount(one)
    held = [one] * 5
    return sys.getrefcount(one) != before

def pages_of_a_fork_that_uses(them):
    reading, writing = os.pipe()
    if not os.fork():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for one in them:
            pass
        os.write(writing, str(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before).encode())
        os._exit(0)
    os.wait()
    return int(os.read(reading, 100))

def later():
    return "something new"

used = functions()
ours = {"function": json.dumps, "type": argparse.ArgumentParser, "module": logging, "namespace": vars(ast), "code": re.compile.__code__}
pages_before = pages_of_a_fork_that_uses(used)
counted_before = sorted(name for name, one in ours.items() if is_counted(one))
in_a_file = open(os.devnull)
made = immortal.make_immortal_what_is_loaded()
fresh = lambda: None
print(json.dumps({
    "version": sys.version_info[:2],
    "has_lock": getattr(sys, "_is_gil_enabled", lambda: True)(),
    "made": made,
    "counted_before": counted_before,
    "counted": sorted(name for name, one in ours.items() if is_counted(one)),
    "pages_before": pages_before,
    "pages": pages_of_a_fork_that_uses(used),
    "is_a_file_counted": is_counted(in_a_file),
    "is_a_list_counted": is_counted(used),
    "is_what_comes_later_counted": is_counted(fresh),
}))
"""
ALL: Final = ["code", "function", "module", "namespace", "type"]


def pythons() -> list[Path]:
    """The one that runs this, and those that are installed beside it, as pyenv and uv do."""
    here = Path(sys.base_prefix)
    beside = sorted(here.parent.glob("*3.1[1-9]*/bin/python3"))
    return [Path(sys.executable), *(one for one in beside if not one.is_relative_to(here))]


@pytest.fixture(params=pythons(), ids=lambda path: path.parents[1].name)
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    done = subprocess.run(
        [request.param, "-I", "-c", PROGRAM, schedulerd.engine.immortal.__file__],
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return dict(json.loads(done.stdout))


def test_what_is_loaded_is_shared_by_those_that_use_it_where_python_can(found: dict[str, Any]) -> None:
    """CPython can from 3.12 on (PEP 683); one before it is left as it is."""
    assert found["counted_before"] == ALL
    can = found["version"] >= [3, 12] and found["has_lock"]

    assert found["made"] == can
    assert found["counted"] == ([] if can else ALL)
    assert (found["pages"] < found["pages_before"] / 2) == can
    assert (found["is_a_file_counted"], found["is_a_list_counted"]) == (True, True)
    assert found["is_what_comes_later_counted"]
