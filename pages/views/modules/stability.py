"""How firm modules are when the graph is cut again."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import HUNDREDTH, SHARE
from pages.components.show import figure, table
from scviz.plots.modules import stability_figure
from scviz.tasks.modules import Result
from scviz.workspace.database import Run


def draw_stability(run: Run, result: Result, footer: str) -> None:
    """Draw and list the cuts at other resolutions and with other seeds."""
    firm = result.stability
    drawing = stability_figure(
        firm.resolutions,
        firm.n_modules,
        (firm.between_seeds, firm.to_next, firm.share, firm.modularity),
        chosen=run.request.get("resolution", 1.0),
        dark=state.dark(),
    )
    figure(drawing, key="stability", name="stability", alt="Stability", height=420, footer=footer)
    st.caption(
        "Same: adjusted Rand index of two cuts, 1 is equal and 0 what chance gives. A resolution is trustworthy where "
        "another seed and the next resolution give about the same modules."
    )
    frame = pd.DataFrame(
        {
            "Resolution": firm.resolutions,
            "Modules": firm.n_modules,
            "Genes in modules": firm.share,
            "Modularity": firm.modularity,
            "Same with another seed": firm.between_seeds,
            "Same at the next resolution": firm.to_next,
        }
    )
    columns = dict.fromkeys(frame.columns[3:], HUNDREDTH) | {"Genes in modules": SHARE}
    table(frame, key="ladder", name="resolutions", column_config=columns)
