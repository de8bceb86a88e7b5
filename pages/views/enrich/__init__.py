"""The enrich page."""
