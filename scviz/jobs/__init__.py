"""Hand a run in, watch it, stop it: `queue` for the web side, `worker` for the other, `engine` between."""
