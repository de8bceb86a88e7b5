"""The modules page."""
