"""Cells by what runs of cell types have named them, by confidence, and by right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import streamlit as st

from pages.components import state
from pages.components.cell_map import Coloring, MapLook
from pages.components.finished import result_of
from pages.components.runs import model_name
from scviz.plots.points import category_codes, category_palette, continuous_palette, shade
from scviz.plots.theme import category_colors
from scviz.tasks.annotation import MODEL, Result
from scviz.workspace.database import Run

NAMED, CONFIDENCE, RIGHT = "Named by", "Confidence of", "Right or wrong:"
MOST_RUNS = 3
"""The newest runs are offered."""


class AnnotationColorings(Mapping[str, Coloring]):
    """Colorings by the runs of cell types of a dataset, each made when it is asked for."""

    def __init__(self, dataset: str) -> None:
        runs = state.queue().runs(states=("done",), owner=state.owner(), task="annotation")
        own = [run for run in runs if run.request.get("dataset") == dataset][:MOST_RUNS]
        self._runs: dict[str, tuple[str, Run]] = {}
        for run in own:
            for kind in (NAMED, CONFIDENCE, RIGHT):
                self._runs[self._free(f"{kind} {model_name(run)}")] = (kind, run)

    def _free(self, name: str) -> str:
        number = 2
        while name in self._runs and f"{name} ({number})" in self._runs:
            number += 1
        return f"{name} ({number})" if name in self._runs else name

    def __getitem__(self, name: str) -> Coloring:
        kind, run = self._runs[name]
        return _coloring(run.id, run.ended, kind=kind, title=name, _run=run)

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)


@st.cache_resource(max_entries=16)
def _coloring(run_id: str, ended: float, *, kind: str, title: str, _run: Run) -> Coloring:  # noqa: ARG001
    result = result_of(_run, Result)
    if kind == CONFIDENCE:
        codes = shade(result.all_confidence.astype(np.float64), 0.0, 1.0)
        look = MapLook(palette=continuous_palette(), scale=(0.0, 1.0), title=title, missing="without a name")
    elif kind == NAMED:
        codes = category_codes(np.where(result.unassigned, -1, result.all_predicted))
        look = MapLook(
            palette=category_palette(category_colors(len(result.types))),
            labels=result.types,
            title=title,
            missing="without a name",
        )
    else:
        right = np.full(len(result.all_predicted), -1, dtype=np.int64)
        right[result.test_rows] = result.predicted[MODEL] != result.truth
        codes = category_codes(right)
        look = MapLook(
            palette=category_palette(2),
            labels=("named right", "named wrong"),
            title=title,
            missing="not held out",
            caption=f"{len(result.test_rows):,} cells judge",
        )
    codes.flags.writeable = False
    return Coloring(codes=codes, look=look)
