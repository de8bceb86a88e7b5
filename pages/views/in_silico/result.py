"""What an edit of genes did: verdict, arrows, random genes, types, a real perturbation beside it, ranking."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.export import annotated_file
from pages.components.finished import result_of
from pages.components.job_panel import duration
from pages.components.show import escaped, figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.datasets.columns import cell_names
from scviz.metrics.evidence import ordinal
from scviz.models import cards
from scviz.plots.arrows import arrows_figure, times_as_long
from scviz.plots.null_band import intervals_figure, null_figure
from scviz.tasks.in_silico import RANKING, Effect, Result, Shift, TypeEffect
from scviz.tasks.in_silico.statistics import means_of
from scviz.tasks.in_silico.tables import zip_of
from scviz.workspace.database import Run

SIMULATION = "A simulation inside the model, not a measurement."
MOVED = "Moved (1 - cosine)"
TO_GOAL = "Shift to the goal (change of cosine)"
SHARE = "% of the distance"
WAY = "% of the way to the goal"
HOW = (
    "Low and high: 95 % bootstrap interval of the mean over cells. A mean beyond random low and high has p of 5 % or "
    "less. Rank: place among the random genes, the farthest first. Cells: those that the edit changes for the model."
)
MOST_DRAWN = 30
"""Genes of a sweep that are drawn."""
EVALUATED = {
    "evaluated": "The authors of {} evaluated such edits of genes.",
    "related": "The authors of {} evaluated something like such edits of genes.",
    "none": "The authors of {} did not evaluate such edits of genes.",
}
SMALL = st.column_config.NumberColumn(format="%.2e")
RAW = st.column_config.NumberColumn(format="%.4g")
PERCENT = st.column_config.NumberColumn(format="%.1f")
P = st.column_config.NumberColumn(format="%.3f")


@st.fragment(run_every=2.0)
def ranking_so_far(run_id: str) -> None:
    """Show the genes of a sweep that are done, while it runs and when it was stopped."""
    path = state.workspace().run_folder(run_id) / "state" / RANKING
    if not path.exists():
        return
    rows = pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))
    if len(rows) > 1:
        st.caption("So far, the strongest first; random genes and false discovery rates come at the end.")
        rows = rows.dropna(axis=1, how="all").rename(
            columns={"gene": "Gene", "cells": "Cells", "moved": MOVED, "to_goal": TO_GOAL}
        )
        table(rows, key="so_far", name="ranking_so_far", column_config={MOVED: SMALL, TO_GOAL: SMALL})


def in_silico_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    card = cards()[state.workspace().checkpoint(run.request["checkpoint"]).model]
    evaluated = EVALUATED[card.edits[run.request.get("kind", "delete")]].format(card.title)
    verdict_box(result.outcome, result.verdict, run=run, notes=(SIMULATION, evaluated, *result.notes))
    (_sweep if result.map_places is None else _one)(run, result)


def _one(run: Run, result: Result) -> None:
    """Show one edit: arrows beside random genes, then the rest in tabs."""
    names = ["Map", "Types", "Other genes", "Real perturbation", "Cells"]
    arrows, types, genes, real, cells = st.tabs(names, key="in_silico_tabs")
    small = footer(run)
    with arrows:
        left, right = st.columns([5, 4])
        with left:
            _arrows(result, small)
        with right:
            _random(result, small)
    with types:
        _types(run, result, small)
    with genes:
        _affected(result)
    with real:
        _observed(result, small)
    with cells:
        _cells(run, result)


def _affected(result: Result) -> None:
    """List the genes that the edit changes most."""
    found = result.affected
    if found is None or not found.genes:
        st.info("The edit changes no other gene for the model.")
        return
    frame = pd.DataFrame(
        {
            "Gene": found.genes,
            "Change": found.change,
            "Random edits": found.random_change,
            "Cells": found.n_cells,
        }
    )
    table(
        frame,
        key="affected",
        name="other_genes",
        height=340,
        column_config={"Change": RAW, "Random edits": RAW},
    )
    predicted = "log" in found.what
    st.caption(
        f"Change: mean {found.what}, over at most 20 cells; beside it the mean of {found.n_random} random edits in the "
        "same genes. A list to look at, not a test."
        + ("" if predicted else " This model predicts no expression, so the vectors of genes are compared.")
    )


def _published(result: Result) -> None:
    """Show the table of the published statistics, where it was asked for."""
    if result.published is None:
        return
    frame = pd.DataFrame(list(result.published.rows), columns=list(result.published.columns))
    st.caption(
        f"As published by Geneformer's authors ({result.published.name}). Values of the same cells are taken for "
        "independent there, so its p values are optimistic."
    )
    table(frame, key="published", name=f"published_{result.published.name}", height=320)


def _arrows(result: Result, footer: str) -> None:
    if result.map_places is None or result.before is None or result.after is None or result.clear is None:
        return
    shown = np.where(result.clear[:, None], result.after, np.nan)
    times = times_as_long(result.map_places, result.before, shown)
    drawing = arrows_figure(result.map_places, result.before, shown, times=times, dark=state.dark())
    words = f"Where {_name(result)} moves cells"
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
        + (f" Arrows are drawn {times} times as long as the moves are." if times > 1 else ""),
        help="An arrow leads from the place of a cell to where its nearest cells after the edit lie. How far cells "
        "move is measured on the vectors, not on the drawn map.",
    )


def _random(result: Result, footer: str) -> None:
    """Show the edit among the random genes."""
    effect = result.effects[0]
    shift, values, to_share, title = (
        effect.moved,
        result.random_moved,
        result.ruler.moved,
        f"% of {result.ruler.words}".replace(" between ", "<br>between "),  # the figure is narrow
    )
    if effect.to_goal is not None and result.random_to_goal is not None and _measure() == "to_goal":
        shift, values, to_share, title = effect.to_goal, result.random_to_goal, result.ruler.to_goal, WAY
    if not len(values):
        st.info("There are no random genes to compare with.")
        return
    drawing = null_figure(
        100 * to_share(shift.mean),
        _name(result),
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
    choice = st.segmented_control(
        "Measure",
        ["to_goal", "moved"],
        default="to_goal",
        required=True,
        format_func={"to_goal": "Shift to the goal", "moved": "Moved"}.__getitem__,
        key="random_measure",
        label_visibility="collapsed",
    )
    return choice or "to_goal"


def _types(run: Run, result: Result, footer: str) -> None:
    if not result.types:
        st.info("Name a column with known cell types under Advanced to see each type by itself.")
        return
    frame = pd.DataFrame([{"Type": one.name, **_row(result, one)} for one in result.types])
    table(frame, key="by_type", name="shift_by_type", column_config=_columns(frame))
    st.caption(HOW)
    shown = [one.to_goal or one.moved for one in result.types]
    names = [one.name for one in result.types]
    _intervals(names, shown, footer=footer, title=_title(run), key="type_intervals")


def _observed(result: Result, footer: str) -> None:
    seen = result.observed
    if seen is None:
        st.info(
            "The dataset holds no real perturbation of this gene that could stand beside the simulated one. A column "
            "with values such as ctrl and GENE+ctrl is found by itself; a goal state is compared too."
        )
        return
    (st.success if seen.outcome == "better" else st.info)(escaped(seen.verdict))
    st.caption(
        escaped(
            f"Observed: mean of {seen.n_perturbed:,} cells ({seen.perturbed}) less mean of {seen.n_control:,} cells "
            f"({seen.control}), column {seen.column}, in the same embedding. Predicted: mean shift of "
            f"{result.effects[0].n_cells:,} cells."
        )
    )
    names = [" + ".join(genes) for genes in result.random_genes]
    labels = names if len(names) == len(seen.random) else [f"random {i + 1}" for i in range(len(seen.random))]
    drawing = null_figure(
        seen.in_few_cells,
        _name(result),
        list(seen.random),
        names=labels,
        title="Cosine of simulated and observed shift",
        dark=state.dark(),
    )
    figure(
        drawing, key="observed", name="observed", alt="Simulated beside observed", height=380, footer=footer
    )


def _cells(run: Run, result: Result) -> None:
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame({"cell": [names[row] for row in result.rows], "moved": result.moved[0]})
    if result.to_goal is not None and result.to_start is not None:
        frame["to_goal"], frame["to_start"] = result.to_goal[0], result.to_start[0]
    small = dict.fromkeys(frame.columns[1:], SMALL)
    table(frame, key="moved_cells", name="moved_cells", height=320, column_config=small)
    took = duration(run.ended - run.started)
    st.caption(f"{len(result.rows):,} of {result.n_chosen:,} chosen cells. Took {took}. Run {run.id}.")
    _published(result)
    _files(run, result)


def _files(run: Run, result: Result) -> None:
    """Offer what the numbers are made of, and a copy of the file."""
    st.download_button(
        "All numbers (.zip)",
        data=lambda: zip_of(result),
        file_name=f"in_silico_{run.id}.zip",
        mime="application/zip",
        key="all_numbers",
        on_click="ignore",
        icon=":material/download:",
        help="Every cell of every edit and random gene, and all else that the numbers shown are computed from.",
    )
    annotated_file(run)


def _sweep(run: Run, result: Result) -> None:
    """Show the ranking of genes that were edited one by one."""
    frame = pd.DataFrame([{"Gene": " + ".join(one.genes), **_row(result, one)} for one in result.effects])
    ranking, drawn, keep = st.tabs(["Ranking", "Random genes", "Save"], key="sweep_tabs")
    with ranking:
        height = min(380, 40 + 36 * len(frame))
        table(frame, key="ranking", name="ranking", height=height, column_config=_columns(frame))
        st.caption(
            f"{HOW} FDR: false discovery rate over {result.n_tests:,} genes (Benjamini-Hochberg). % of the distance: "
            f"of {result.ruler.words}."
        )
        _published(result)
    with drawn:
        top = result.effects[:MOST_DRAWN]
        shown = [one.to_goal or one.moved for one in top]
        names = [one.genes[0] for one in top]
        _intervals(names, shown, footer=footer(run), title=_title(run), key="gene_intervals")
    with keep:
        st.write("How far each cell moves, of the five strongest genes also written into a copy of the file:")
        _files(run, result)


def _row(result: Result, effect: Effect | TypeEffect) -> dict[str, float | int]:
    """Write an effect as a row: the share of a distance, the shift, its interval, its place among random genes."""
    row: dict[str, float | int] = {"Cells": effect.n_cells}
    if effect.to_goal is not None:
        row |= {WAY: 100 * result.ruler.to_goal(effect.to_goal.mean)}
    row |= {SHARE: 100 * result.ruler.moved(effect.moved.mean)}
    if effect.to_goal is not None:
        row |= _numbers(effect.to_goal, TO_GOAL, "goal: ", rates=isinstance(effect, Effect))
    prefix = "" if effect.to_goal is None else "moved: "
    return row | _numbers(effect.moved, MOVED, prefix, rates=isinstance(effect, Effect))


def _numbers(shift: Shift, title: str, prefix: str, *, rates: bool) -> dict[str, float | int]:
    numbers: dict[str, float | int] = {
        title: shift.mean,
        f"{prefix}low": shift.low,
        f"{prefix}high": shift.high,
        f"{prefix}random low": shift.random_low,
        f"{prefix}random high": shift.random_high,
        f"{prefix}random genes": shift.n_random,
        f"{prefix}rank": shift.rank,
        f"{prefix}p": shift.p,
    }
    return numbers | ({f"{prefix}FDR": shift.fdr} if rates else {})


def _columns(frame: pd.DataFrame) -> dict[str, object]:
    """Choose digits: p values with three, shares with one, counts without, shifts in powers of ten."""
    found: dict[str, object] = {}
    for name in frame.columns:
        if name in (SHARE, WAY):
            found[name] = PERCENT
        elif name.split()[-1] in ("p", "FDR"):
            found[name] = P
        elif name not in ("Cells", "Gene", "Type") and not name.endswith(("random genes", "rank")):
            found[name] = SMALL
    return found


def _intervals(names: Sequence[str], shown: Sequence[Shift], *, footer: str, title: str, key: str) -> None:
    drawing = intervals_figure(
        names,
        np.array([shift.mean for shift in shown]),
        intervals=np.array([(shift.low, shift.high) for shift in shown]),
        bands=np.array([(shift.random_low, shift.random_high) for shift in shown]),
        title=title,
        dark=state.dark(),
    )
    height = 150 + 26 * len(names)
    figure(drawing, key=key, name=key, alt="Shifts beside random genes", height=height, footer=footer)


def _title(run: Run) -> str:
    return TO_GOAL if run.request.get("goal") else MOVED


def _name(result: Result) -> str:
    genes = result.effects[0].genes
    return " + ".join(genes[:3]) + (f" and {len(genes) - 3} more" if len(genes) > 3 else "")
