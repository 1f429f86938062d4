"""Prefect's blocks, as far as they are here: `from schedulerd.blocks.system import Secret`."""
