"""The conditions page."""
