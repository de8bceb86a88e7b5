"""Curves of training."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from scviz.plots.theme import OKABE_ITO, layout


def loss_figure(
    steps: Sequence[float],
    losses: Sequence[float],
    validation_steps: Sequence[float],
    validation_losses: Sequence[float],
    *,
    unit: str = "batches",
    dark: bool = False,
) -> go.Figure:
    """Draw the loss of training and of validation cells.

    Parameters
    ----------
    steps, losses
        Training loss and when it was measured, in `unit`.
    validation_steps, validation_losses
        The same for cells that are not trained on.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=list(steps),
        y=list(losses),
        mode="lines" if len(steps) > 1 else "markers",
        name="training cells",
        line={"color": OKABE_ITO[0], "width": 1.5},
    )
    figure.add_scatter(
        x=list(validation_steps),
        y=list(validation_losses),
        mode="lines+markers",
        name="validation cells",
        line={"color": OKABE_ITO[1], "width": 2},
    )
    figure.update_layout(layout(dark=dark), height=260)
    figure.update_xaxes(title_text=f"Training ({unit})")
    figure.update_yaxes(title_text="Loss (lower is better)", rangemode="tozero")
    return figure
