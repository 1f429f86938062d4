"""What surrounds tasks, under Prefect 1's names: `debug`, `logging`, `tasks`."""
