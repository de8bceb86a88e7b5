"""The map of the cells, colored by their names, by confidence, or by distance to the reference."""

from __future__ import annotations

import numpy as np

from pages.components.cell_map import MapLook
from pages.components.coloring import Coloring
from pages.components.newest_map import no_map_yet, on_map, plain_map
from pages.components.widgets import one_of
from scviz.plots.points import category_codes, category_palette, continuous_palette, shade
from scviz.tasks.transfer import Result
from scviz.workspace.database import Run

SHOWN = {"names": "Names", "confidence": "Confidence", "distance": "Distance to the reference"}
NO_NAME = "without a name"
FARTHEST = 2.0
"""Distance of the last color; 1 is where 95 % of the reference's held-out cells lie within."""


def map_tab(run: Run, result: Result, method: str) -> None:
    """Draw the map."""
    drawn = plain_map(run.request["dataset"])
    if drawn is None:
        no_map_yet(run.request["dataset"], key="transfer_first_map")
        return
    shown = one_of("Colors", SHOWN, key="transfer_colors")
    on_map(drawn, _coloring(result, method, shown), key="transfer_map")


def _coloring(result: Result, method: str, shown: str) -> Coloring:
    if shown == "names":
        best = result.best(method)
        present = [code for code in range(len(result.types)) if (best == code).any()]
        places = np.full(len(result.types) + 1, -1)  # the last one is for cells without a name
        places[present] = np.arange(len(present))
        look = MapLook(
            palette=category_palette(len(present)),
            labels=[result.types[code] for code in present],
            title=f"Named by {result.reference_name}",
            missing=NO_NAME,
        )
        return Coloring(codes=category_codes(places[best]), look=look)
    far = shown == "distance"
    values = np.asarray(result.distance if far else result.confidence(method), dtype=np.float64)
    high = FARTHEST if far else 1.0
    title = "Distance, 1: as far as the reference's own cells go" if far else "Confidence"
    look = MapLook(palette=continuous_palette(), scale=(0.0, high), title=title, missing=NO_NAME)
    return Coloring(codes=shade(values, 0.0, high), look=look)
