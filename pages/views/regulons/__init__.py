"""The regulons page."""
