"""Prefect 1's key-value store, which is our variables: `from schedulerd.backend import get_key_value, set_key_value`."""

from schedulerd.authoring.variables import delete_key, get_key_value, list_keys, set_key_value

__all__ = ["delete_key", "get_key_value", "list_keys", "set_key_value"]
