"""Results as small pictures: a map, bars, or the sentence of the verdict where no picture fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.coloring import GENE, choices, coloring
from scviz.metrics.evidence import Gain
from scviz.plots.points import category_palette
from scviz.plots.theme import OKABE_ITO
from scviz.plots.thumbnail import bars_thumbnail, map_thumbnail
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.records import RECORD, from_json, read_array, read_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What a card shows of a result."""

    image: bytes | str = b""
    """PNG or SVG; empty where no picture fits."""
    alt: str = ""
    """What it shows, for screen readers."""
    words: str = ""
    """What was found."""
    wide: bool = False
    """Whether it fills the card."""


def picture_of(run: Run, dataset: DatasetInfo) -> Picture:
    """Draw the result of a finished run small; only what the picture needs is read of it."""
    folder = state.workspace().run_folder(run.id) / "result"
    if not (folder / RECORD).exists():
        return Picture(words="Its files are gone.")
    return _picture(run.id, run.ended, task=run.task, dataset=dataset.id)


@st.cache_resource(max_entries=64)
def _picture(run: str, ended: float, *, task: str, dataset: str) -> Picture:
    del ended  # part of the key only: a run that was resumed ended anew
    folder = state.workspace().run_folder(run) / "result"
    try:
        return PICTURES.get(task, _verdict)(folder, state.workspace().dataset(dataset))
    except (KeyError, TypeError, ValueError):  # of another version, whose fields differ
        return Picture(words="Written by another version of scviz.")


def _map(folder: Path, dataset: DatasetInfo) -> Picture:
    choice = next(one for one in choices(dataset) if one != GENE)
    colors = coloring(dataset, choice, "")
    image = map_thumbnail(
        read_array(folder, "umap"),
        colors.codes,
        colors.look.palette,
        continuous=colors.look.scale is not None,
    )
    return Picture(image=image, alt=f"Map of the cells, colored by {choice}")


def _edit(folder: Path, dataset: DatasetInfo) -> Picture:
    """Show the edited cells among the others."""
    words = _verdict(folder, dataset).words
    if read_value(folder, "n_all") is None:
        return Picture(words=words)
    try:
        places, before = read_array(folder, "map_places"), read_array(folder, "before")
    except KeyError:  # a sweep has none
        return Picture(words=words)
    codes = np.concatenate([np.zeros(len(places), np.uint8), np.ones(len(before), np.uint8)])
    palette = category_palette([OKABE_ITO[5]])
    image = map_thumbnail(np.concatenate([places, before]), codes, palette)
    return Picture(image=image, alt="The edited cells on the map", words=words)


def _names(folder: Path, dataset: DatasetInfo) -> Picture:
    """Show how well cells are named beside the best baseline."""
    found = read_value(folder, "gain")
    if found is None:
        return Picture(words=f"{dataset.n_cells:,} cells were named; none has a label to compare with.")
    gain = from_json(Gain, found)
    return Picture(
        image=bars_thumbnail({gain.model: gain.score, gain.baseline: gain.baseline_score}),
        alt=f"{gain.unit} of the model and of the best baseline",
        words=gain.sentence,
        wide=True,
    )


def _verdict(folder: Path, _: DatasetInfo) -> Picture:
    """Say what was found, in the words of the result."""
    said = read_value(folder, "verdict")
    notes = read_value(folder, "notes") or ()
    words = said if isinstance(said, str) else next(iter(notes), "")
    return Picture(words=str(words))


PICTURES = {"embedding": _map, "overview": _map, "in_silico": _edit, "annotation": _names}
"""How the result of a task is drawn; others say their verdict."""
