"""A schedule whose runs keep their own record, outside of schedulerd; and the comparison of the two, to the last."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

from schedulerd.domain.runs import Run, RunFilter
from schedulerd.domain.states import RunState
from tests.service import Service
from tests.waiting import eventually

FLOW = "account"
_SECOND = timedelta(seconds=1)


class Accounts:
    """A run each second, each of which appends its due time and its id to a file."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._record = service.folder / "record"

    def open(self) -> None:
        """Have the schedule in force, and see its first runs."""
        self._service.schedule(
            "account.toml",
            f'[[schedule]]\nname = "{FLOW}"\nevery = "1s"\noverlap = "allow"\ncatchup = "all"\n'
            f"catchup_limit = 10000\nmisfire_grace = '1h'\n"
            f"command = '''echo \"$SCHEDULERD_DUE_AT $SCHEDULERD_RUN_ID\" >> {self._record}'''\n",
        )
        eventually(lambda: len(self.recorded()) >= 2, within=30)

    def recorded(self) -> list[list[str]]:
        """What the runs have noted."""
        return (
            [line.split() for line in self._record.read_text().splitlines()] if self._record.exists() else []
        )

    def runs(self) -> list[Run]:
        """What schedulerd knows, the oldest due first."""
        database = self._service.database()
        with database.read() as tx:
            found = tx.runs.list(RunFilter(flows=(FLOW,), limit=10_000))
        database.close()
        return sorted(found, key=lambda run: run.due_at)

    def wait_for(self, moment: datetime, *, within: float = 30.0) -> None:
        """Wait until the run that is due then, or later, has ended, and with it all before."""
        eventually(lambda: self._is_settled_until(moment), within=within, every=0.2)

    def _is_settled_until(self, moment: datetime) -> bool:
        runs = self.runs()
        return bool(runs) and runs[-1].due_at >= moment and all(run.ended_at for run in runs[:-2])

    def close(self) -> list[Run]:
        """End the schedule and let the last runs end; all runs, which are just those that should be."""
        (self._service.schedules / "account.toml").unlink()
        eventually(lambda: not self._is_in_force(), within=30)
        eventually(lambda: all(run.ended_at is not None for run in self.runs()), within=30)
        runs = self.runs()
        self._check(runs)
        return runs

    def _is_in_force(self) -> bool:
        database = self._service.database()
        with database.read() as tx:
            found = tx.schedules.all()
        database.close()
        return any(schedule.definition.name == FLOW for schedule in found)

    def _check(self, runs: list[Run]) -> None:
        """None lost, none doubled: a run for each second, in its true state, and a line of its own for each."""
        due = [run.due_at for run in runs if run.state is not RunState.SKIPPED]
        missing = [now for was, now in pairwise(due) if now - was != _SECOND]
        ended = Counter(run.state for run in runs)
        lines = Counter(run_id for _, run_id in self.recorded())
        assert missing == [], f"before each of these at least one is lost or doubled: {missing}"
        assert set(ended) <= {RunState.COMPLETED, RunState.SKIPPED}, ended
        assert {run_id: count for run_id, count in lines.items() if count != 1} == {}, "run more than once"
        completed = {str(run.id) for run in runs if run.state is RunState.COMPLETED}
        assert set(lines) == completed
        assert self._service.broken_invariants() == []
