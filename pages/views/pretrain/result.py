"""What pre-training gave: the loss compared with the frequency baseline, its curve, and the new weights."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.finished import result_of
from pages.components.frame import PAGES
from pages.components.show import errors_in_words, escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.models import cards
from scviz.plots.curves import loss_figure
from scviz.tasks.pretraining import Result
from scviz.workspace.database import Run


def pretraining_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    _verdict(run, result)
    _metrics(result)
    with errors_in_words():
        _weights(result)
    _curve(run, result)
    with st.expander("Loss of every epoch"):
        _losses(result)


def _verdict(run: Run, result: Result) -> None:
    further = () if result.further is None else (result.further.sentence,)
    verdict_box(result.gain.outcome, result.gain.sentence, run=run, notes=(*further, *result.notes))


def _metrics(result: Result) -> None:
    own, baseline = result.gain.score, result.gain.baseline_score
    row = st.columns(4)
    row[0].metric(
        "Loss on cells held out",
        f"{own:.4g}",
        f"{own - baseline:+.4g} compared with {baseline:.4g}",
        delta_color="inverse",
        help="Of the best epoch, on cells that neither trained nor chose it. Below: the frequency baseline, on the "
        "same cells.",
    )
    row[1].metric(
        "Best epoch",
        f"{result.best_epoch + 1} of {len(result.losses)}",
        help="Its weights were kept. It is chosen by half of the cells held out; the other half judge it.",
    )
    row[2].metric("Cells trained on", f"{result.n_train:,}")
    row[3].metric("Cells held out", f"{result.n_validation + result.gain.n:,}")


def _curve(run: Run, result: Result) -> None:
    epochs = list(range(1, len(result.losses) + 1))
    before = [] if result.first_loss is None else [result.first_loss]
    drawing = loss_figure(
        epochs,
        result.losses,
        [*range(1 - len(before), 1), *epochs],
        validation_losses=[*before, *result.validation_losses],
        unit="epochs",
        checked="cells that choose the epoch",
        baseline=result.baseline_loss,
        dark=state.dark(),
    )
    drawing.update_xaxes(dtick=-(-len(epochs) // 10))  # there is no half of an epoch
    alt = "Loss of training and held-out cells after each epoch, with the frequency baseline"
    figure(drawing, key="pretraining_curve", name="pretraining_loss", alt=alt, height=280, footer=footer(run))
    lines = [
        cards()[result.checkpoint.partition("/")[0]].objective,
        "The frequency baseline knows only how common each answer is in the cells trained on.",
    ]
    if epochs[-1] > 1 and result.best_epoch == epochs[-1] - 1:
        lines.append("The last epoch was the best one: more epochs may do better.")
    st.caption(escaped(" ".join(lines)))


def _weights(result: Result) -> None:
    """Show the new weights, let them be used, and say how to make them again."""
    info, current = state.workspace().checkpoint(result.checkpoint), state.current_checkpoint()
    with st.container(border=True, key="new_weights"):
        left, right = st.columns([7, 3], vertical_alignment="center")
        left.markdown(
            f"**{escaped(info.name)}** · {info.n_parameters / 1e6:,.2f} M weights · {info.n_genes:,} genes"
        )
        left.caption(escaped(f"{info.description} Id: {info.id}"))
        used = current is not None and current.id == info.id
        label = "In use" if used else "Use these weights"
        if right.button(label, key="use_weights", type="primary", disabled=used, width="stretch"):
            state.remember("checkpoint", info.id)
            st.rerun()
        if used:
            row = st.container(horizontal=True)
            for page, words in (("explore", "Draw the map"), ("annotate", "Annotate")):
                row.page_link(PAGES[page].file, label=words, icon=PAGES[page].icon, query_params=state.link())
        with st.expander("Make the same weights again"):
            st.code(info.command, language="bash", wrap_lines=True)


def _losses(result: Result) -> None:
    frame = pd.DataFrame(
        {
            "Epoch": range(1, len(result.losses) + 1),
            "Training cells": result.losses,
            "Cells that choose": result.validation_losses,
            "Frequency baseline": result.baseline_loss,
        }
    )
    digits = {name: st.column_config.NumberColumn(format="%.4f") for name in frame.columns[1:]}
    table(frame, key="losses", name="pretraining_losses", column_config=digits)
