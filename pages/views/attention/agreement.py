"""How attention agrees with known targets: beside co-expression, and beside control regulators."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer
from scviz.networks.attention import Setting
from scviz.networks.shipped import title_of
from scviz.plots.null_band import null_figure
from scviz.plots.scores import scores_figure
from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, RANDOM, TRUTH, Check, Result
from scviz.workspace.database import Run

METHODS = (ATTENTION, COEXPRESSION, RANDOM)
AREA = "Area under the ROC curve"


def draw_agreement(run: Run, result: Result, checks: list[Check]) -> None:
    """Draw and list how attention, co-expression and random genes agree with known targets."""
    names = list(dict.fromkeys(one.regulator for one in checks))
    scores = {method: [one.auroc for one in checks if one.method == method] for method in METHODS}
    figure(
        scores_figure(scores, names, title=f"{AREA}, known targets", dark=state.dark()),
        key="agreement",
        name="agreement",
        alt="Area under the curve of attention, co-expression and random genes for each regulator",
        height=130 + 30 * len(names),
        footer=footer(run),
    )
    rows = [
        {
            "Regulator": one.regulator,
            "Ranked by": one.method,
            "Area": one.auroc,
            "Hits": one.hits,
            "Of top": one.top,
            "Known targets": one.n_known,
            "Of genes": one.n_candidates,
            "Background share": one.share,
            "Odds ratio": one.odds_ratio,
            "Among control regulators": "" if one.place is None else one.place.words,
            "FDR": one.fdr,
        }
        for one in checks
    ]
    digits = dict.fromkeys(("Area", "Background share"), DIGITS)
    digits |= {name: st.column_config.NumberColumn(format="%.3g") for name in ("Odds ratio", "FDR", "Hits")}
    table(pd.DataFrame(rows), key="checks", name="agreement", column_config=digits)
    st.caption(
        f"Known targets: {escaped(_known(run, result))}. Hits are known targets among the top genes; for random genes "
        "what is expected. Place: of the area among those of genes expressed like the regulator, tried as regulators; "
        "FDR: the false discovery rate of that place over all regulators and settings."
    )


def _known(run: Run, result: Result) -> str:
    """Name the known targets as the form does; those of a simulation by what the result calls them."""
    asked = str(run.request["prior"])
    return result.prior if asked == TRUTH else title_of(asked)


def draw_among_controls(run: Run, result: Result, *, setting: Setting, row: int) -> None:
    """Draw where the regulator stands among expression-matched control regulators."""
    regulator = result.regulators[row]
    own = [
        one
        for one in result.checks
        if (one.regulator, one.setting, one.method) == (regulator, setting, ATTENTION)
    ]
    if not own:
        return
    areas = result.control_auroc[setting][row]
    drawing = null_figure(
        own[0].auroc,
        regulator,
        areas.tolist(),
        names=result.control_genes[row],
        title=f"{AREA}, known targets of {regulator}",
        dark=state.dark(),
    )
    figure(
        drawing,
        key="other_genes",
        name="other_genes",
        alt=f"{regulator} among expression-matched random genes, by agreement with its known targets",
        height=320,
        footer=footer(run),
    )
