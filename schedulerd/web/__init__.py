"""The REST API and the pages, in a process of their own: they read, and ask; they decide nothing."""
