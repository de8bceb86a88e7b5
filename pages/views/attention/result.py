"""What a network of attention found: verdict, agreement with known targets, the top targets of a regulator."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.runs import trained_on
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.errors import ScvizError
from scviz.networks.attention import SETTINGS, Setting, top_targets
from scviz.plots.null_band import null_figure
from scviz.plots.scores import scores_figure
from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, RANDOM, Check, Result
from scviz.workspace.database import Run

METHODS = (ATTENTION, COEXPRESSION, RANDOM)
WORDS = {"difference": "{b} less {a}", "control": "in {a}", "perturbed": "in {b}"}
MOST_SHOWN = 100
AREA = "Area under the ROC curve"


def attention_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    st.caption(f"Attention is no proof of regulation: it says what a model looks at. {_trained(run)}")
    words = {
        setting: text.format(a=run.request["control"], b=run.request["perturbed"])
        for setting, text in WORDS.items()
    }
    setting = st.segmented_control(
        "Influence", list(SETTINGS), default="difference", format_func=words.__getitem__, key="setting"
    )
    setting = setting or "difference"
    checks = [one for one in result.checks if one.setting == setting]
    if checks:
        _agreement(run, result, checks)
    network_of_run(
        run,
        result.drawings.get(setting),
        key=f"network_{setting}",
        name="attention_network",
        footer=footer(run),
    )
    row = st.selectbox(
        "Targets of",
        range(len(result.regulators)),
        format_func=lambda i: result.regulators[i],
        key="regulator",
    )
    _targets(result, setting, row)
    if checks:
        _other_genes(run, result, setting=setting, row=row)
    _how_it_was_made(result)


def _trained(run: Run) -> str:
    """Say whether the weights have seen these cells in training, as scGPT's authors have it."""
    first = "scGPT's authors first train the model further on the control and the perturbed cells"
    dataset = state.workspace().dataset(run.request["dataset"])
    try:
        checkpoint = state.workspace().checkpoint(run.request["checkpoint"])
    except ScvizError:
        return f"{first}."
    if trained_on(checkpoint, dataset):
        return f"{first}; these weights were trained on cells of this dataset."
    if checkpoint.released or checkpoint.demo or checkpoint.command:
        return f"{first}; these weights have not seen them in training. The Pre-train page does that."
    return f"{first}; whether these weights have seen them in training is not known."


def _agreement(run: Run, result: Result, checks: list[Check]) -> None:
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
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Area", "Background share")}
    digits |= {name: st.column_config.NumberColumn(format="%.3g") for name in ("Odds ratio", "FDR", "Hits")}
    table(pd.DataFrame(rows), key="checks", name="agreement", column_config=digits)
    st.caption(
        f"Known targets: {escaped(result.prior)}. Hits are known targets among the top genes; for random genes what is "
        "expected. Place: of the area among those of genes expressed like the regulator, tried as regulators; FDR: the "
        "false discovery rate of that place over all regulators and settings."
    )


def _targets(result: Result, setting: Setting, row: int) -> None:
    """List the genes that attend most to a regulator, with their co-expression beside."""
    values = result.influence[setting][row]
    top = top_targets(values, MOST_SHOWN)
    shown = {"Gene": [result.genes[i] for i in top], "Influence": values[top]}
    shown |= {f"Influence, {name}": result.influence[name][row][top] for name in SETTINGS if name != setting}
    shown["Co-expression"] = result.coexpression[setting][row][top]
    frame = pd.DataFrame(shown)
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in frame.columns if name != "Gene"}
    table(frame, key="targets", name="targets", height=320, column_config=digits)
    st.caption(
        f"The {len(top):,} highest of {len(result.genes):,} genes. Influence is how highly a gene ranks the regulator "
        "among all genes that it attends to, 0 to 1, mean over heads and cells; a difference lies between -1 and 1. "
        "Co-expression is the correlation without its sign, or its change."
    )


def _other_genes(run: Run, result: Result, *, setting: Setting, row: int) -> None:
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


def _how_it_was_made(result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{result.n_control:,} and {result.n_perturbed:,} cells, {len(result.genes):,} genes. "
            f"Took {duration(result.seconds)}."
        )
