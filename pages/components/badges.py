"""What limits a number, as a badge that looks alike on every page."""

DEMO = ":orange-badge[:material/science: small blood model of this project, not the published one]"
DEMO_SHORT = ":orange-badge[:material/science: small blood model]"
"""Where there is little room."""
SIMULATED = ":orange-badge[:material/casino: simulated]"
SEEN = ":orange-badge[:material/visibility: cells seen in training]"
