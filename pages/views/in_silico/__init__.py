"""The in-silico page."""
