"""GEARS: vectors of genes and of perturbations, smoothed over graphs of genes."""
