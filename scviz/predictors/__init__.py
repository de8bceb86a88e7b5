"""Methods that predict expression after a perturbation, and are no foundation model; each alone in a file."""
