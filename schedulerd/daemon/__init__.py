"""The composition root: builds everything once, and runs it until it is told to stop."""
