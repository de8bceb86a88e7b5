"""Scores of several methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from scviz.plots.theme import category_colors, layout


def scores_figure(
    scores: Mapping[str, Sequence[float]], names: Sequence[str], *, title: str, dark: bool = False
) -> go.Figure:
    """Draw one group of points per name, one color per method.

    Parameters
    ----------
    scores
        (K,) scores from 0 to 1 of each method.
    names
        K names, such as cell types.
    title
        What the scores are: "F1".
    """
    figure = go.Figure()
    for color, (method, values) in zip(category_colors(len(scores)), scores.items(), strict=True):
        figure.add_scatter(
            x=list(values),
            y=list(names),
            name=method,
            mode="markers",
            marker={"color": color, "size": 9},
            hovertemplate="%{y}: %{x:.3f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(layout(dark=dark), height=120 + 26 * len(names))
    figure.update_xaxes(title_text=title, range=[-0.02, 1.02])
    figure.update_yaxes(autorange="reversed")
    return figure
