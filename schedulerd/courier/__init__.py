"""Brings messages and pings to services outside: a program of its own, which may hang and harm nobody."""
