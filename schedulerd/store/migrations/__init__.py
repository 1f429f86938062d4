"""The way from each schema to the next, run by Alembic. Names sort by revision: 0001, 0002, ..."""
