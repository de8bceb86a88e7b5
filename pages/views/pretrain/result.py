"""What pre-training gave: the loss beside the guess that reads no cell, its curve, and the new weights."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.frame import PAGES
from pages.components.runs import dataset_name
from pages.components.show import errors_in_words, escaped, figure, table
from scviz.models import cards
from scviz.plots.curves import loss_figure
from scviz.tasks.pretraining import Result
from scviz.workspace.database import Run

GUESS = "guess that reads no cell"


def pretraining_result(run: Run) -> None:
    """Show a finished run."""
    result: Result = state.queue().result(run.id)
    _verdict(result)
    _metrics(result)
    with errors_in_words():
        _weights(result)
    _curve(run, result)
    with st.expander("Loss of every pass"):
        _losses(result)


def _best(result: Result) -> float:
    return result.validation_losses[result.best_epoch]


def _verdict(result: Result) -> None:
    best, guess = _best(result), result.baseline_loss
    numbers = (
        f"on the {result.n_validation:,} cells held out its loss is {best:.4g}, and {guess:.4g} for the guess "
        "(lower is better)."
    )
    if best < guess:
        st.success(f"The model does better than a {GUESS}: {numbers}")
    else:
        st.warning(
            f"The model does no better than a {GUESS}: {numbers} Give it more passes, a larger size, or more cells."
        )
    if result.first_loss is not None:
        better = "going on has helped" if best < result.first_loss else "going on has not helped"
        st.caption(
            f"Before this training the weights had {result.first_loss:.4g} on the same cells: {better}."
        )


def _metrics(result: Result) -> None:
    best, guess = _best(result), result.baseline_loss
    row = st.columns(4)
    row[0].metric(
        "Loss on cells held out",
        f"{best:.4g}",
        f"{best - guess:+.4g} against {guess:.4g}",
        delta_color="inverse",
        help=f"Of the best pass. Below: a {GUESS}, on the same cells.",
    )
    row[1].metric(
        "Best pass",
        f"{result.best_epoch + 1} of {len(result.losses)}",
        help="Its weights were kept. It is chosen by the cells held out, so its loss there flatters a little.",
    )
    row[2].metric("Cells trained on", f"{result.n_train:,}")
    row[3].metric("Cells held out", f"{result.n_validation:,}")


def _curve(run: Run, result: Result) -> None:
    passes = list(range(1, len(result.losses) + 1))
    before = [] if result.first_loss is None else [result.first_loss]
    drawing = loss_figure(
        passes,
        result.losses,
        [*range(1 - len(before), 1), *passes],
        validation_losses=[*before, *result.validation_losses],
        unit="passes over the cells",
        checked="cells held out",
        baseline=result.baseline_loss,
        dark=state.dark(),
    )
    drawing.update_xaxes(dtick=-(-len(passes) // 10))  # there is no half of a pass
    footer = f"{dataset_name(run)} · {result.checkpoint} · seed {run.request.get('seed', 0)} · run {run.id}"
    alt = "Loss of training and held-out cells after each pass, with the guess that reads no cell"
    figure(drawing, key="pretraining_curve", name="pretraining_loss", alt=alt, height=280, footer=footer)
    lines = [
        cards()[result.checkpoint.partition("/")[0]].objective,
        "The guess knows only what is common in the cells trained on.",
    ]
    if passes[-1] > 1 and result.best_epoch == passes[-1] - 1:
        lines.append("The last pass was the best one: more passes may do better.")
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
            for page, words in (("explore", "Draw the map"), ("annotate", "Name cell types")):
                row.page_link(PAGES[page].file, label=words, icon=PAGES[page].icon, query_params=state.link())
        with st.expander("Make the same weights again"):
            st.code(info.command, language="bash", wrap_lines=True)


def _losses(result: Result) -> None:
    frame = pd.DataFrame(
        {
            "Pass": range(1, len(result.losses) + 1),
            "Training cells": result.losses,
            "Cells held out": result.validation_losses,
            "Guess": result.baseline_loss,
        }
    )
    digits = {name: st.column_config.NumberColumn(format="%.4f") for name in frame.columns[1:]}
    table(frame, key="losses", name="pretraining_losses", column_config=digits)
