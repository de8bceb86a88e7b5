"""Colors of cells by a set of genes: a typed list, a program, or a module or regulon of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.cell_map import Coloring, MapLook, alike
from pages.components.color_scale import Scale, ask_scale, choose_scale
from pages.components.show import errors_in_words
from pages.components.widgets import one_of, told_apart
from scviz.datasets.gene_index import gene_index
from scviz.errors import RequestError
from scviz.metrics.evidence import counted
from scviz.networks.gmt import programs
from scviz.networks.set_scores import HOWS, MOST_CELLS, How, set_score
from scviz.plots.points import continuous_palette, shade
from scviz.tasks import front
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import read_array, read_value

TYPED, PROGRAM = "A list of genes", "A program of known genes"
SCORED = {"modules": ("modules", "scores"), "scenic": ("regulons", "auc")}
"""By task: the field that names its sets, and the array with their scores in every cell."""
LIKE = {"modules": "score_genes", "scenic": "activity (AUCell)"}
"""How each scores a set."""
FIRST = Scale(1.0, 99.0, log=False)
HOW = "set_how"
LISTED, PROGRAMMED, OF_RUN = "list", "program", "run"
"""What addresses call where a set comes from."""


def by_gene_set(dataset: DatasetInfo, row: list[DeltaGenerator]) -> Coloring:
    """Ask for a set of genes, in a row of three places, and color the cells by its score."""
    runs = _runs(dataset)
    words = told_apart(runs, lambda run: f"{front(runs[run].task).TITLE} of a run")
    sources = [PROGRAM, TYPED, *runs]
    source = row[0].selectbox(
        "Genes of", sources, format_func=lambda one: words(one) if one in runs else one, key="set_source"
    )
    if source in runs:
        return _of_run(dataset, runs[source], row)
    name, genes = _listed(row[1]) if source == TYPED else _program(row[1])
    with row[2].popover("Scale", icon=":material/tune:", key="set_scale"):
        how: How = "z"
        if dataset.n_cells <= MOST_CELLS:
            how = one_of("Score", HOWS, key=HOW)
        scale = ask_scale("set", first=FIRST, log=False, of="all cells")
    if not genes:
        st.caption("Type or paste genes, with commas or blanks between them.")
        return alike(dataset.n_cells)
    colors: Coloring | None = None
    with errors_in_words():
        colors = _scored(dataset.id, genes, name=name, how=how, scale=scale)
    return colors or alike(dataset.n_cells)


def set_in_words() -> str:
    """Write the set that is chosen for an address; empty where none is."""
    source = state.held("set_source")
    if source == TYPED:
        text = " ".join(str(state.held("set_genes") or "").split())
        return f"{LISTED}:{text}" if text else ""
    if source == PROGRAM:
        return f"{PROGRAMMED}:{state.held('set_program')}"
    name = state.held("set_of_run")
    return f"{OF_RUN}:{source}:{name}" if source and name else ""


def set_as_said(dataset: DatasetInfo, said: str) -> bool:
    """Choose the set that an address names; returns whether there is one."""
    kind, _, rest = said.partition(":")
    if kind == LISTED:
        state.preset("set_source", TYPED)
        state.preset("set_genes", rest)
        return True
    if kind == PROGRAMMED and rest in [one.name for one in programs()]:
        state.preset("set_source", PROGRAM)
        state.preset("set_program", rest)
        return True
    run, _, name = rest.partition(":")
    found = _runs(dataset).get(run) if kind == OF_RUN else None
    if found is None or name not in _sets_of(run, found.ended, task=found.task):
        return False
    state.preset("set_source", run)
    state.preset("set_of_run", name)
    return True


def _listed(place: DeltaGenerator) -> tuple[str, tuple[str, ...]]:
    text = place.text_input("Genes", placeholder="CD3D, CD3E, CD8A", key="set_genes")
    return "Your genes", tuple(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))


def _program(place: DeltaGenerator) -> tuple[str, tuple[str, ...]]:
    sets = {one.name: one.genes for one in programs()}
    name = place.selectbox("Program", list(sets), key="set_program")
    return name, sets[name]


def _runs(dataset: DatasetInfo) -> dict[str, Run]:
    """Find the finished runs that scored sets in every cell of the dataset, the newest first."""
    runs = state.queue().runs(states=("done",), owner=state.owner())
    return {run.id: run for run in runs if run.task in SCORED and run.request.get("dataset") == dataset.id}


def _of_run(dataset: DatasetInfo, run: Run, row: list[DeltaGenerator]) -> Coloring:
    names = _sets_of(run.id, run.ended, task=run.task)
    scale = choose_scale(row[2], "set", first=FIRST, log=False, of="all cells")
    if not names:
        row[1].caption("This run found no set of genes.")
        return alike(dataset.n_cells)
    name = row[1].selectbox("Set", names, key="set_of_run")
    scores = _scores_of(run.id, run.ended, task=run.task)[:, names.index(name)]
    return _colored(scores, f"{_short(name)}, {LIKE[run.task]}", caption="as the run scored it", scale=scale)


@st.cache_data(max_entries=16)
def _sets_of(run_id: str, ended: float, *, task: str) -> list[str]:
    del ended  # part of the key only: a run that was resumed ended anew
    found: list[Mapping[str, str]] = read_value(_result(run_id), SCORED[task][0]) or []
    return [str(one["name"]) for one in found]


@st.cache_resource(max_entries=4)
def _scores_of(run_id: str, ended: float, *, task: str) -> NDArray[np.floating]:
    del ended  # part of the key only: a run that was resumed ended anew
    return read_array(_result(run_id), SCORED[task][1])


def _result(run_id: str) -> Path:
    return state.workspace().run_folder(run_id) / "result"


@st.cache_resource(max_entries=16, show_spinner="Scoring the genes in every cell")
def _scored(dataset: str, genes: tuple[str, ...], *, name: str, how: How, scale: Scale) -> Coloring:
    folder = state.workspace().dataset_folder(dataset)
    index = gene_index(folder)
    found = [name for name in map(index.named, genes) if name]
    if not found:
        raise RequestError(
            "This dataset has none of these genes.", hint="Use symbols or Ensembl ids of its species."
        )
    score = set_score(folder, found, n_cells=state.workspace().dataset(dataset).n_cells, how=how)
    used = f"{score.n_genes} of {counted(len(genes), 'gene')}"
    if how == "z":
        return _colored(score.values, f"{_short(name)}, mean z score", caption=used, scale=scale)
    caption = f"{used}, less {score.n_controls:,} control genes"
    return _colored(score.values, f"{_short(name)}, score_genes", caption=caption, scale=scale)


def _short(name: str) -> str:
    """Shorten a name for a legend."""
    return name if len(name) <= 60 else f"{name[:59]}…"


def _colored(values: NDArray[np.floating], name: str, *, caption: str, scale: Scale) -> Coloring:
    low, high = scale.ends(values)
    look = MapLook(
        palette=continuous_palette(),
        scale=(low, high),
        title=name,
        caption=" · ".join(part for part in (caption, scale.words) if part),
    )
    return Coloring(codes=shade(values, low, high), look=look)
