"""Open, check and repair: from the file of a user to counts with cells and genes that are known by name."""
