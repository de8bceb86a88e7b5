"""What a network of attention found: verdict, agreement with known targets, the top targets of a regulator."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS
from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.show import table
from pages.components.verdict_box import footer, verdict_box
from pages.components.widgets import one_of
from pages.views.attention.agreement import draw_agreement, draw_among_controls
from scviz.errors import ScvizError
from scviz.networks.attention import SETTINGS, Setting, top_targets
from scviz.tasks.attention_network import Result
from scviz.workspace.database import Run
from scviz.workspace.store import Seen

WORDS: dict[Setting, str] = {"difference": "{b} less {a}", "control": "in {a}", "perturbed": "in {b}"}
TRAINED: dict[Seen, str] = {
    "seen": "these weights were trained on cells of this dataset",
    "not seen": "these weights were not. The Pre-train page does that",
    "not known": "whether these weights have seen them in training is not known",
}
MOST_SHOWN = 100


def attention_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    st.caption(f"Attention is no proof of regulation: it says what a model looks at. {_trained(run)}")
    groups = {"a": run.request["control"], "b": run.request["perturbed"]}
    words: dict[Setting, str] = {setting: text.format(**groups) for setting, text in WORDS.items()}
    setting = one_of("Influence", words, key="setting")
    checks = [one for one in result.checks if one.setting == setting]
    if checks:
        draw_agreement(run, result, checks)
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
    _targets(result, words, setting=setting, row=row)
    if checks:
        draw_among_controls(run, result, setting=setting, row=row)
    _how_it_was_made(result)


def _trained(run: Run) -> str:
    """Say whether the weights have seen these cells in training, as scGPT's authors have it."""
    first = "scGPT's authors first train the model further on the control and the perturbed cells"
    dataset = state.workspace().dataset(run.request["dataset"])
    try:
        checkpoint = state.workspace().checkpoint(run.request["checkpoint"])
    except ScvizError:
        return f"{first}."
    return f"{first}; {TRAINED[state.workspace().seen_in_training(checkpoint.id, dataset.id)]}."


def _targets(result: Result, words: Mapping[Setting, str], *, setting: Setting, row: int) -> None:
    """List the genes that attend most to a regulator, with their co-expression beside."""
    values = result.influence[setting][row]
    top = top_targets(values, MOST_SHOWN)
    shown = {"Gene": [result.genes[i] for i in top], "Influence": values[top]}
    shown |= {
        f"Influence {words[name]}": result.influence[name][row][top] for name in SETTINGS if name != setting
    }
    shown["Co-expression"] = result.coexpression[setting][row][top]
    frame = pd.DataFrame(shown)
    digits = {name: DIGITS for name in frame.columns if name != "Gene"}
    table(frame, key="targets", name="targets", height=320, column_config=digits)
    st.caption(
        f"The {len(top):,} highest of {len(result.genes):,} genes. Influence is how highly a gene ranks the regulator "
        "among all genes that it attends to, 0 to 1, mean over heads and cells; a difference lies between -1 and 1. "
        "Co-expression is the correlation without its sign, or its change."
    )


def _how_it_was_made(result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{result.n_control:,} and {result.n_perturbed:,} cells, {len(result.genes):,} genes. "
            f"Took {duration(result.seconds)}."
        )
