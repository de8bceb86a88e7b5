"""Odd and bad files, made by script, each with its exact outcome."""
