"""The tables of what runs bring: task runs, child runs, results and log lines. A change here needs a migration beside it."""

from typing import Final

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from schedulerd.store.columns import KEY, KEY_IS_ROW, Document, Id, Moment, Words, metadata, of_run

task_runs: Final = Table(
    "task_runs",
    metadata,
    of_run(),
    Column("number", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("map_index", Integer),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("upstream", Document),
    Column("message", Words, nullable=False),
    Column("failure", Document),
    Column("result_preview", Words),
    # How this call of the task is told from others, and how its value is kept.
    Column("call", Words),
    Column("kept", Text),
    # The number of the child run that it is of, where that is not the run itself.
    Column("child", Integer),
    info=KEY_IS_ROW,
)

# The first attempt of a task run that was tried again has only its end here, and the last one its beginning: the rest is
# known of the task run.
task_attempts: Final = Table(
    "task_attempts",
    metadata,
    of_run(),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    info=KEY_IS_ROW,
)

# Runs of flows that were called within a run, in its process. `of_attempt` and `task` say which task run stands for one,
# `child` in which other one it was called.
child_runs: Final = Table(
    "child_runs",
    metadata,
    of_run(),
    Column("number", Integer, primary_key=True),
    Column("uuid", Id, nullable=False),
    Column("of_attempt", Integer, nullable=False),
    Column("task", Integer, nullable=False),
    Column("child", Integer),
    Column("flow", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("parameters", Document),
    Column("tags", Document),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("failure", Document),
    Column("result_preview", Words),
    Column("call", Words),
    Column("kept", Text),
    UniqueConstraint("run_id", "of_attempt", "task"),
    Index("ix_child_runs_uuid", "uuid"),
    Index("ix_child_runs_started_at", "started_at"),
    info=KEY_IS_ROW,
)

results: Final = Table(
    "results",
    metadata,
    of_run(),
    Column("call", Words, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("file", Text, nullable=False),
    info=KEY_IS_ROW,
)

log_lines: Final = Table(
    "log_lines",
    metadata,
    of_run(),
    Column("number", KEY, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("level", Integer, nullable=False),
    Column("stream", Text, nullable=False),
    Column("logger", Words, nullable=False),
    Column("task", Integer),
    Column("message", Words, nullable=False),
    # As in `task_runs`.
    Column("child", Integer),
    info=KEY_IS_ROW,
)
