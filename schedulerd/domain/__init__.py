"""What is true. Pure: no clock, no I/O; `now` is always an argument."""
