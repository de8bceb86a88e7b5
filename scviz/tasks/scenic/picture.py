"""The network of regulons as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scviz.networks.contract import Edges
from scviz.networks.drawing import Drawing, by_regulator, draw
from scviz.tasks.scenic import Found

TOP_TARGETS = 20
"""Of each regulon: with all of them, large regulons would hide the others."""


def picture(regulons: Sequence[Found], *, seed: int) -> Drawing:
    """Draw each regulator with its strongest targets; a target has the color of its strongest regulator."""
    links = [
        (weight, one.regulator, gene)
        for one in regulons
        for gene, weight in zip(one.genes[:TOP_TARGETS], one.weights[:TOP_TARGETS], strict=True)
    ]
    links.sort(key=lambda link: -link[0])
    edges = Edges(
        sources=tuple(source for _, source, _ in links),
        targets=tuple(target for _, _, target in links),
        weights=np.array([weight for weight, _, _ in links], dtype=np.float64),
    )
    drawing = draw(edges, by_regulator(edges), seed=seed)
    return replace(
        drawing, rule=f"Each regulator and its {TOP_TARGETS} strongest targets at most. {drawing.rule}"
    )
