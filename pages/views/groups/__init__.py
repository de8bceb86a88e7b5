"""The groups page."""
