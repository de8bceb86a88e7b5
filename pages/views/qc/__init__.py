"""The page of quality control."""
