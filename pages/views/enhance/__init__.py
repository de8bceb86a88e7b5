"""The enhance page."""
