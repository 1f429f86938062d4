"""The command line: reads what was typed, asks one operation, shows what came of it."""
