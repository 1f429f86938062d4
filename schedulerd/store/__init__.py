"""What is remembered: domain values in and out of SQLite or PostgreSQL. The one door to SQLAlchemy and Alembic."""
