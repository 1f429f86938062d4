"""What Alembic runs around the migrations; the connection, already in a transaction, is handed in."""

from alembic import context

from schedulerd.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # Ours begins before the first statement, so on SQLite too a schema is the old one or the new one, never half.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
