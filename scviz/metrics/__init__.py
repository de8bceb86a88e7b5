"""Numbers from arrays: how good, compared with what."""
