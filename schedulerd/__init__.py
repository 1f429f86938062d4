"""schedulerd: a scheduling daemon for Python flows, and the API that flow files are written with."""
