"""Curves of training."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from scviz.plots.theme import OKABE_ITO, layout


def loss_figure(
    steps: Sequence[float],
    losses: Sequence[float],
    validation_steps: Sequence[float],
    *,
    validation_losses: Sequence[float],
    unit: str = "batches",
    checked: str = "validation cells",
    baseline: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the loss of training and of validation cells.

    Parameters
    ----------
    steps, losses
        Training loss and when it was measured, in `unit`.
    validation_steps, validation_losses
        The same for cells that are not trained on.
    checked
        What these cells are called.
    baseline
        Loss of a guess that reads no cell, a dashed line.
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
        name=checked,
        line={"color": OKABE_ITO[1], "width": 2},
    )
    if baseline is not None:
        figure.add_scatter(
            x=[0, max(steps)],
            y=[baseline, baseline],
            mode="lines",
            name="frequency baseline",
            line={"color": OKABE_ITO[2], "width": 2, "dash": "dash"},
        )
    figure.update_layout(layout(dark=dark), height=260)
    figure.update_xaxes(title_text=f"Training ({unit})", minallowed=0)
    figure.update_yaxes(title_text="Loss (lower is better)", rangemode="tozero")
    return figure
