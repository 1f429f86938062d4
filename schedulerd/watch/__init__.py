"""What changed: flow folders and schedule files, looked at and read. Decides nothing about runs."""
