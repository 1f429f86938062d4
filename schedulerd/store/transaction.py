"""One transaction: the nouns of the store, over one connection. `Database` begins and ends it."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from schedulerd.domain.notices import NoticeRule
from schedulerd.store.hearing import Hearing
from schedulerd.store.notices import Notices
from schedulerd.store.pings import Monitored, Pings
from schedulerd.store.runs import Runs

if TYPE_CHECKING:
    from schedulerd.store.agents import Agents
    from schedulerd.store.api_tokens import ApiTokens
    from schedulerd.store.approvals import Approvals
    from schedulerd.store.audit import Audit
    from schedulerd.store.causes import Causes
    from schedulerd.store.child_runs import ChildRuns
    from schedulerd.store.facts import Facts
    from schedulerd.store.flows import Flows
    from schedulerd.store.history import History
    from schedulerd.store.hooks import Hooks
    from schedulerd.store.intake import IntakeTable
    from schedulerd.store.log_search import LogSearch
    from schedulerd.store.logs import Logs
    from schedulerd.store.messages import Messages
    from schedulerd.store.named_limits import NamedLimits
    from schedulerd.store.pruning import Pruning
    from schedulerd.store.questions import Questions
    from schedulerd.store.replies import Replies
    from schedulerd.store.results import Results
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


class _Noun:
    """What works on the connection alone, or also on what the transaction has by the name that it `takes`: it is made when a
    transaction is first asked for it, and its module is loaded when the first is. A command asks for three or four, and none
    waits for those of others.
    """

    def __init__(self, module: str, kind: str, *, takes: str = "") -> None:
        self._module: Final = module
        self._kind: Final = kind
        self._takes: Final = takes
        self._make: Any = None
        self._name = ""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, transaction: "Transaction", _: type) -> Any:
        given = (getattr(transaction, self._takes),) if self._takes else ()
        found = self.load()(transaction._connection, *given)
        vars(transaction)[self._name] = found  # which Python looks into first, from now on
        return found

    def load(self) -> Any:
        """Its class."""
        if self._make is None:
            self._make = getattr(import_module(f"schedulerd.store.{self._module}"), self._kind)
        return self._make


def _noun(module: str, kind: str, *, takes: str = "") -> Any:
    return _Noun(module, kind, takes=takes)


class Transaction:
    """What can be read and written; everything through one of these is one step for everybody else.

    What the `rules` want to be told of is written beside it.
    """

    flows: "Flows" = _noun("flows", "Flows")
    schedules: "Schedules" = _noun("schedules", "Schedules", takes="_monitored")
    causes: "Causes" = _noun("causes", "Causes")
    messages: "Messages" = _noun("messages", "Messages")
    size: "Size" = _noun("size", "Size")
    tallies: "Tallies" = _noun("tallies", "Tallies")
    replies: "Replies" = _noun("replies", "Replies")
    log_search: "LogSearch" = _noun("log_search", "LogSearch")
    history: "History" = _noun("history", "History")
    waiting: "Waiting" = _noun("waiting", "Waiting")
    tasks: "Tasks" = _noun("tasks", "Tasks")
    child_runs: "ChildRuns" = _noun("child_runs", "ChildRuns")
    results: "Results" = _noun("results", "Results")
    hooks: "Hooks" = _noun("hooks", "Hooks")
    logs: "Logs" = _noun("logs", "Logs")
    questions: "Questions" = _noun("questions", "Questions")
    secrets: "Secrets" = _noun("secrets", "Secrets")
    told: "Told" = _noun("told", "Told")
    named_limits: "NamedLimits" = _noun("named_limits", "NamedLimits")
    approvals: "Approvals" = _noun("approvals", "Approvals")
    variables: "Variables" = _noun("variables", "Variables")
    users: "Users" = _noun("users", "Users")
    sessions: "Sessions" = _noun("sessions", "Sessions")
    api_tokens: "ApiTokens" = _noun("api_tokens", "ApiTokens")
    audit: "Audit" = _noun("audit", "Audit")
    agents: "Agents" = _noun("agents", "Agents")
    facts: "Facts" = _noun("facts", "Facts")
    snapshots: "Snapshots" = _noun("snapshots", "Snapshots")
    pruning: "Pruning" = _noun("pruning", "Pruning")
    intake: "IntakeTable" = _noun("intake", "IntakeTable", takes="_hearing")

    def __init__(
        self, connection: Connection, rules: Sequence[NoticeRule] = (), monitored: Monitored | None = None
    ) -> None:
        self._connection: Final = connection
        self._monitored: Final = monitored or Monitored()
        self.notices: Final = Notices(connection, rules)
        self.pings: Final = Pings(connection, self._monitored)
        self._hearing: Final = Hearing(connection, self.notices, self.pings, rules)
        self.runs: Final = Runs(connection, self._hearing)

    @classmethod
    def load(cls) -> None:
        """Load all of it now: for whoever stays, and may outlive the files that it would be loaded from."""
        for noun in vars(cls).values():
            if isinstance(noun, _Noun):
                noun.load()

    def broken_invariants(self) -> list[str]:
        """What should always be true of a database and is not, in words; empty when all is well."""
        from schedulerd.store import invariants  # seldom asked for

        return invariants.broken(self._connection)
