"""A daemon and its web process have loaded all that their work needs before the first run: the files that it would come from
may be those of another version by then.
"""

import inspect
import re
import subprocess
import sys
from pathlib import Path

from schedulerd.operations import operations
from schedulerd.store import transaction
from tests.service import Service

# Starts the daemon that it is given, and tells of each module that is loaded once it was built.
_TELLING = """
import sys
from schedulerd.__main__ import main
from schedulerd.daemon import life

class Teller:
    def find_spec(self, name, path=None, target=None):
        print("loaded late:", name, file=sys.stderr, flush=True)

def built(*given, **named):
    daemon = build(*given, **named)
    sys.meta_path.insert(0, Teller())
    return daemon

build, life.build = life.build, built
sys.argv[:] = ["schedulerd", *sys.argv[4:]]
main()
"""

_FLOW = """
from schedulerd import flow, task

@task
def halved(n):
    print(n)
    return n / 2

@flow
def sums():
    halved(2)

@flow
def fails():
    halved(None)
"""

_OURS = tuple(f"schedulerd.{part}." for part in ("store", "scheduler", "domain", "engine", "daemon"))


def test_nothing_of_ours_is_loaded_over_runs_that_end_well_and_badly(tmp_path: Path) -> None:
    service = Service(tmp_path, from_nothing=True)
    try:
        service.start(by=[sys.executable, "-c", _TELLING])
        service.drop("sums.py", _FLOW)
        service.wait_for_flow("fails")
        keys = [service.ask_for("sums"), service.ask_for("fails")]
        states = [service.wait_for_end(key).state.value for key in keys]
        log = service.log.read_text()
    finally:
        service.close()

    late = {line.split()[-1] for line in log.splitlines() if line.startswith("loaded late:")}
    assert states == ["completed", "failed"]
    assert sorted(name for name in late if name.startswith(_OURS)) == []


_SETTLING = """
import sys
from pathlib import Path
from schedulerd.clock import SystemClock
from schedulerd.daemon.definition_reader import places_of
from schedulerd.operations.operations import Operations
from schedulerd.store.database import Database
from schedulerd.web import program
from schedulerd.web.app import make_app
from schedulerd.web.warming import settle

file, clock = Path(sys.argv[1]), SystemClock()
operations = Operations(Database(f"sqlite:///{file}"), state_dir=file.parent, clock=clock)
app = make_app(hosts=(), clock=clock, operations=operations)
settle(operations, clock)
loaded = set(sys.modules)
print(*loaded)
for route in app.routes:
    assert route.dependant
print(*sys.modules.keys() - loaded)
"""


def test_the_web_process_has_loaded_every_noun_and_what_makes_routes_whole_when_it_has_settled(
    migrated_sqlite: Path,
) -> None:
    program = [sys.executable, "-P", "-c", _SETTLING, str(migrated_sqlite)]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    loaded, late = (set(line.split()) for line in told.splitlines())

    named = {
        found
        for file in (operations, transaction)
        for found in re.findall(r"from (schedulerd\.\S+) import", inspect.getsource(file))
    }
    assert len(named) > 60
    assert sorted(named - loaded) == []
    assert sorted(late) == []
