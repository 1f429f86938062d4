"""When runs happen: the core's loop, the alarm, launching, the intake of journals, recovery."""
