"""Where one edit moves cells on the map, and how far, among random genes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.show import figure
from pages.components.widgets import one_of
from pages.views.in_silico.numbers import (
    WAY,
    name_of,
)
from scviz.metrics.evidence import ordinal
from scviz.plots.arrows import arrows_figure, times_as_long
from scviz.plots.null_band import null_figure
from scviz.tasks.in_silico import Result
from scviz.tasks.in_silico.statistics import means_of


def draw_arrows(result: Result, footer: str) -> None:
    """Draw where cells go that move farther than with most random genes."""
    if result.map_places is None or result.before is None or result.after is None or result.clear is None:
        return
    shown = np.where(result.clear[:, None], result.after, np.nan)
    times = times_as_long(result.map_places, result.before, shown)
    drawing = arrows_figure(result.map_places, result.before, shown, times=times, dark=state.dark())
    words = f"Where {name_of(result)} moves cells"
    figure(drawing, key="arrows", name="arrows", alt=words, height=400, footer=footer)
    n_hidden = int(np.isfinite(result.moved[0]).sum() - result.clear.sum())
    hidden = f"{n_hidden:,} move less than with 95 % of the random genes."
    if result.outcome != "better" and not result.clear.any():
        hidden = (
            "arrows are drawn only where an edit moves cells more than expression-matched random genes do."
        )
    st.caption(
        f"UMAP of {len(result.map_places):,} cells. {int(result.clear.sum()):,} of {result.effects[0].n_cells:,} "
        f"cells that change have an arrow; {hidden}"
        + (f" Arrows are drawn {times:,} times as long as the moves are." if times > 1 else ""),
        help="An arrow leads from the place of a cell to where its nearest cells after the edit lie. How far cells "
        "move is measured on the vectors, not on the drawn map.",
    )


def draw_among_random(result: Result, footer: str) -> None:
    """Show the edit among the random genes."""
    effect = result.effects[0]
    shift, values, to_share, title = (
        effect.moved,
        result.random_moved,
        result.ruler.moved,
        f"% of {result.ruler.words}".replace(" between ", "\nbetween "),  # the figure is narrow
    )
    if effect.to_goal is not None and result.random_to_goal is not None and _measure() == "to_goal":
        shift, values, to_share, title = effect.to_goal, result.random_to_goal, result.ruler.to_goal, WAY
    if not len(values):
        st.info("There are no random genes to compare with.")
        return
    drawing = null_figure(
        100 * to_share(shift.mean),
        name_of(result),
        [100 * to_share(mean) for mean in means_of(values).tolist()],
        names=[" + ".join(genes) for genes in result.random_genes],
        title=title,
        dark=state.dark(),
    )
    figure(
        drawing, key="null", name="random_genes", alt="The edit among random genes", height=360, footer=footer
    )
    st.caption(
        f"Mean of {effect.n_cells:,} cells: {ordinal(shift.rank)} of {shift.n_random + 1:,} with {shift.n_random:,} "
        f"expression-matched random genes or sets, p = {shift.p:.3f}.",
        help="Matched by mean expression and by the share of these cells in which a gene is seen. p is the share of "
        "random genes that move cells as far, (1 + as far) / (1 + all). The share of a distance is the square root of "
        "the ratio of 1 - cosine.",
    )


def _measure() -> str:
    """Let the user choose what random genes are compared by."""
    return one_of("Measure", {"to_goal": "Shift to the goal", "moved": "Moved"}, key="random_measure")
