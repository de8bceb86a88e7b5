"""Single-cell foundation models, their honest baselines, and the numbers they give."""

__version__ = "0.2.0"
