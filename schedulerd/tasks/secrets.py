"""Secrets as tasks, under Prefect 1's names: `PrefectSecret("DB_PASSWORD")()`."""

from schedulerd.authoring.secret_tasks import EnvVarSecret, PrefectSecret, SecretBase

__all__ = ["EnvVarSecret", "PrefectSecret", "SecretBase"]
