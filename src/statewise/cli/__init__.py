"""The command line: one file per command, each a thin layer over the public API."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells expect it."""
