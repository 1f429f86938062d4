"""How flows are written: what user code imports, and the one engine that runs tasks.

Loaded by every flow file, so what stands at the top of these modules is kept small: typing, logging, dataclasses
and inspect are imported where they are first needed.
"""
