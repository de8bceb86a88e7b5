"""The dashboard: pages draw, scviz computes."""
