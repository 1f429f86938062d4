"""The key-value store, where Prefect 1 has it too."""

from schedulerd.authoring.variables import delete_key, get_key_value, list_keys, set_key_value

__all__ = ["delete_key", "get_key_value", "list_keys", "set_key_value"]
