"""Everything that can be asked, by its noun. An edge builds one and translates for it; it decides nothing itself."""

import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from schedulerd.clock import Clock
from schedulerd.domain.ids import RANDOM_BITS
from schedulerd.operations.daemon import Daemon
from schedulerd.operations.runs import Runs
from schedulerd.store.database import Database
from schedulerd.store.transaction import Transaction

if TYPE_CHECKING:
    from schedulerd.operations.agents import Agents
    from schedulerd.operations.api_tokens import ApiTokens
    from schedulerd.operations.approvals import Approvals
    from schedulerd.operations.audit import Audit
    from schedulerd.operations.child_runs import ChildRuns
    from schedulerd.operations.definition_readers import Places
    from schedulerd.operations.definitions import Definitions
    from schedulerd.operations.figures import Figures
    from schedulerd.operations.fires import Fires
    from schedulerd.operations.flow_files import FlowFiles
    from schedulerd.operations.flows import Flows
    from schedulerd.operations.graphs import Graphs
    from schedulerd.operations.history import History
    from schedulerd.operations.log_chunks import LogChunks
    from schedulerd.operations.log_search import LogSearch
    from schedulerd.operations.measures import Measures
    from schedulerd.operations.named_limits import NamedLimits
    from schedulerd.operations.palette import Palette
    from schedulerd.operations.passwords import Passwords
    from schedulerd.operations.replies import Replies
    from schedulerd.operations.reruns import Reruns
    from schedulerd.operations.schedules import Schedules
    from schedulerd.operations.secrets import Secrets
    from schedulerd.operations.sign_in import SignIn
    from schedulerd.operations.simulating import Simulation
    from schedulerd.operations.snapshots import Snapshots
    from schedulerd.operations.told import Told
    from schedulerd.operations.users import Users
    from schedulerd.operations.variables import Variables
    from schedulerd.operations.webhooks import Webhooks


class Operations:
    """The wishes, a small class for each noun. `places` are where definitions may be written from here; None: nowhere."""

    def __init__(
        self,
        database: Database,
        *,
        state_dir: Path,
        clock: Clock,
        environ: Mapping[str, str] = MappingProxyType({}),
        entropy: Callable[[], int] = lambda: secrets.randbits(RANDOM_BITS),
        places: "Places | None" = None,
        passwords: "Passwords | None" = None,
    ) -> None:
        self.daemon: Final = Daemon(database, state_dir, clock)
        self.runs: Final = Runs(database, clock, wake=self.daemon.wake, entropy=entropy)
        self._database: Final = database
        self._state_dir: Final = state_dir
        self._clock: Final = clock
        self._environ: Final = environ
        self._entropy: Final = entropy
        self._places: Final = places
        self._passwords: Final = passwords

    def load(self) -> None:
        """Load all of it now: for whoever stays, and may outlive the files that it would be loaded from."""
        Transaction.load()
        for name, noun in vars(Operations).items():
            if isinstance(noun, cached_property):
                getattr(self, name)

    @cached_property
    def flows(self) -> "Flows":
        """Flows and the files that they are in."""
        from schedulerd.operations.flows import Flows  # who asks for runs needs none

        return Flows(self._database)

    @cached_property
    def schedules(self) -> "Schedules":
        """What makes runs."""
        from schedulerd.operations.schedules import Schedules  # who asks for runs needs none

        return Schedules(self._database, self._clock, wake=self.daemon.wake, entropy=self._entropy)

    @cached_property
    def figures(self) -> "Figures":
        """What runs come to."""
        from schedulerd.operations.figures import Figures  # seldom asked for

        return Figures(self._database)

    @cached_property
    def graphs(self) -> "Graphs":
        """Graphs of runs and flows."""
        from schedulerd.operations.graphs import Graphs  # seldom asked for

        return Graphs(self._database)

    @cached_property
    def log_search(self) -> "LogSearch":
        """Texts within logs."""
        from schedulerd.operations.log_search import LogSearch  # seldom asked for

        return LogSearch(self._database)

    @cached_property
    def palette(self) -> "Palette":
        """What there is, by name."""
        from schedulerd.operations.palette import Palette  # the web process asks

        return Palette(self._database)

    @cached_property
    def replies(self) -> "Replies":
        """Requests that are done once."""
        from schedulerd.operations.replies import Replies  # the web process asks

        return Replies(self._database, self._clock)

    @cached_property
    def history(self) -> "History":
        """All runs that there were."""
        from schedulerd.operations.history import History  # seldom asked for

        return History(self._database, self._clock)

    @cached_property
    def reruns(self) -> "Reruns":
        """Runs that have ended, once more."""
        from schedulerd.engine.folders import RESULTS
        from schedulerd.operations.reruns import Reruns  # seldom asked for

        results = self._state_dir / RESULTS
        return Reruns(self._database, self._clock, self.runs, results=results, wake=self.daemon.wake)

    @cached_property
    def variables(self) -> "Variables":
        """Values that flows share."""
        from schedulerd.operations.variables import Variables  # seldom asked for

        return Variables(self._database, self._clock)

    @cached_property
    def secrets(self) -> "Secrets":
        """Values that are shown to nobody."""
        from schedulerd.operations.sealing import KeyRing
        from schedulerd.operations.secrets import Secrets  # seldom asked for

        return Secrets(self._database, self._clock, KeyRing(self._state_dir, self._environ))

    @cached_property
    def told(self) -> "Told":
        """What runs told beside their logs."""
        from schedulerd.operations.told import Told  # seldom asked for

        return Told(self._database)

    @cached_property
    def named_limits(self) -> "NamedLimits":
        """Limits of which code within runs takes slots."""
        from schedulerd.operations.named_limits import NamedLimits  # seldom asked for

        return NamedLimits(self._database, self._clock)

    @cached_property
    def child_runs(self) -> "ChildRuns":
        """Runs that code asks for."""
        from schedulerd.operations.child_runs import ChildRuns  # seldom asked for

        return ChildRuns(self._database, self._clock, wake=self.daemon.wake)

    @cached_property
    def approvals(self) -> "Approvals":
        """Decisions about paused runs."""
        from schedulerd.operations.approvals import Approvals  # seldom asked for

        return Approvals(self._database, self._clock, wake=self.daemon.wake)

    @cached_property
    def agents(self) -> "Agents":
        """Who starts runs."""
        from schedulerd.operations.agents import Agents  # seldom asked for

        return Agents(self._database, self._clock, wake=self.daemon.wake)

    @cached_property
    def passwords(self) -> "Passwords":
        """What is kept of passwords."""
        from schedulerd.operations.passwords import Passwords  # few commands need it

        return self._passwords or Passwords()

    @cached_property
    def users(self) -> "Users":
        """People who sign in."""
        from schedulerd.operations.users import Users  # seldom asked for

        return Users(self._database, self._clock, self.passwords)

    @cached_property
    def sign_in(self) -> "SignIn":
        """Who comes in, and by what."""
        from schedulerd.operations.sign_in import SignIn  # the web process asks

        return SignIn(self._database, self._clock, self.passwords)

    @cached_property
    def api_tokens(self) -> "ApiTokens":
        """Tokens for programs."""
        from schedulerd.operations.api_tokens import ApiTokens  # seldom asked for

        return ApiTokens(self._database, self._clock)

    @cached_property
    def audit(self) -> "Audit":
        """Who changed what."""
        from schedulerd.operations.audit import Audit  # seldom asked for

        return Audit(self._database, self._clock)

    @cached_property
    def webhooks(self) -> "Webhooks":
        """Calls from outside that ask for runs."""
        from schedulerd.operations.sealing import KeyRing
        from schedulerd.operations.webhooks import Webhooks  # the web process asks

        keys = KeyRing(self._state_dir, self._environ)
        return Webhooks(self._database, self._clock, keys, wake=self.daemon.wake, entropy=self._entropy)

    @cached_property
    def definitions(self) -> "Definitions":
        """Schedules as files that are written from here."""
        from schedulerd.operations.definitions import Definitions  # the web process asks

        return Definitions(self._database, self._clock, self.daemon, self._places)

    @cached_property
    def flow_files(self) -> "FlowFiles":
        """Flow files that come in from outside."""
        from schedulerd.operations.flow_files import FlowFiles  # the web process asks

        return FlowFiles(self._database, self._clock, self.daemon, self._places)

    @cached_property
    def snapshots(self) -> "Snapshots":
        """Which runs go on just now."""
        from schedulerd.operations.snapshots import Snapshots  # the web process asks

        return Snapshots(self._database, self._clock)

    @cached_property
    def measures(self) -> "Measures":
        """Figures of how things go on."""
        from schedulerd.operations.measures import Measures  # the web process asks

        return Measures(self._database, self._clock)

    @cached_property
    def log_chunks(self) -> "LogChunks":
        """Logs, page by page."""
        from schedulerd.operations.log_chunks import LogChunks  # the web process asks

        return LogChunks(self._database)

    @cached_property
    def fires(self) -> "Fires":
        """What fires when."""
        from schedulerd.operations.fires import (
            Fires,
        )  # the search of due times: 30 ms that most commands save

        return Fires(self._database, self._clock)

    @cached_property
    def simulation(self) -> "Simulation":
        """What would happen over a stretch of time."""
        from schedulerd.operations.simulating import Simulation  # the same search

        return Simulation(self._database)
