"""What limits a number, as a badge that looks alike on every page."""

DEMO = ":orange-badge[:material/science: demo weights]"
SIMULATED = ":orange-badge[:material/casino: simulated]"
SEEN = ":orange-badge[:material/visibility: cells seen in training]"
