"""What Home alone shows."""
