"""One transaction: the nouns of the store, over one connection. `Database` begins and ends it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from schedulerd.domain.notices import NoticeRule
from schedulerd.store import invariants
from schedulerd.store.agents import Agents
from schedulerd.store.api_tokens import ApiTokens
from schedulerd.store.approvals import Approvals
from schedulerd.store.audit import Audit
from schedulerd.store.causes import Causes
from schedulerd.store.child_runs import ChildRuns
from schedulerd.store.facts import Facts
from schedulerd.store.flows import Flows
from schedulerd.store.hearing import Hearing
from schedulerd.store.history import History
from schedulerd.store.hooks import Hooks
from schedulerd.store.intake import IntakeTable
from schedulerd.store.log_search import LogSearch
from schedulerd.store.logs import Logs
from schedulerd.store.messages import Messages
from schedulerd.store.named_limits import NamedLimits
from schedulerd.store.notices import Notices
from schedulerd.store.pings import Monitored, Pings
from schedulerd.store.pruning import Pruning
from schedulerd.store.questions import Questions
from schedulerd.store.replies import Replies
from schedulerd.store.results import Results
from schedulerd.store.runs import Runs
from schedulerd.store.schedules import Schedules
from schedulerd.store.secrets import Secrets
from schedulerd.store.sessions import Sessions
from schedulerd.store.size import Size
from schedulerd.store.snapshots import Snapshots
from schedulerd.store.tallies import Tallies
from schedulerd.store.tasks import Tasks
from schedulerd.store.told import Told
from schedulerd.store.users import Users
from schedulerd.store.variables import Variables
from schedulerd.store.waiting import Waiting


class Transaction:
    """What can be read and written; everything through one of these is one step for everybody else.

    What the `rules` want to be told of is written beside it.
    """

    def __init__(
        self, connection: Connection, rules: Sequence[NoticeRule] = (), monitored: Monitored | None = None
    ) -> None:
        self._connection: Final = connection
        monitored = monitored or Monitored()
        self.flows: Final = Flows(connection)
        self.schedules: Final = Schedules(connection, monitored)
        self.causes: Final = Causes(connection)
        self.notices: Final = Notices(connection, rules)
        self.messages: Final = Messages(connection)
        self.pings: Final = Pings(connection, monitored)
        hearing = Hearing(connection, self.notices, self.pings, rules)
        self.runs: Final = Runs(connection, hearing)
        self.size: Final = Size(connection)
        self.tallies: Final = Tallies(connection)
        self.replies: Final = Replies(connection)
        self.log_search: Final = LogSearch(connection)
        self.history: Final = History(connection)
        self.waiting: Final = Waiting(connection)
        self.intake: Final = IntakeTable(connection, hearing)
        self.tasks: Final = Tasks(connection)
        self.child_runs: Final = ChildRuns(connection)
        self.results: Final = Results(connection)
        self.hooks: Final = Hooks(connection)
        self.logs: Final = Logs(connection)
        self.questions: Final = Questions(connection)
        self.secrets: Final = Secrets(connection)
        self.told: Final = Told(connection)
        self.named_limits: Final = NamedLimits(connection)
        self.approvals: Final = Approvals(connection)
        self.variables: Final = Variables(connection)
        self.users: Final = Users(connection)
        self.sessions: Final = Sessions(connection)
        self.api_tokens: Final = ApiTokens(connection)
        self.audit: Final = Audit(connection)
        self.agents: Final = Agents(connection)
        self.facts: Final = Facts(connection)
        self.snapshots: Final = Snapshots(connection)
        self.pruning: Final = Pruning(connection)

    def broken_invariants(self) -> list[str]:
        """What should always be true of a database and is not, in words; empty when all is well."""
        return invariants.broken(self._connection)
