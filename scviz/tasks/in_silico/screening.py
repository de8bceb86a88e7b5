"""Which genes of all are worth an exact edit: the screen of deletions of models that have one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.model import FoundationModel
from scviz.metrics.shares import share_interval
from scviz.progress import Report
from scviz.tasks.in_silico import FEWEST_CELLS, Request
from scviz.tasks.in_silico.effects import Cells

FILE = "screen.npy"
N_TOP = 20
FEWEST_RANDOM = 20
"""Fewer random genes say nothing of those that were not edited."""
MOST_MISSED = 0.02
"""Where surely more of the genes that were left out are as strong, the screen has not found the strongest."""
READINGS = 15
"""What screening a cell costs, in readings of the cell; a rough guess. Without a goal it costs half of what deleting
each of its genes would, at most."""


def can_screen(request: Request, model: FoundationModel) -> bool:
    """Tell whether all deletions can be screened at once."""
    return request.all_genes and request.kind == "delete" and model.card.screens_deletions


def readings(request: Request, genes_of_cell: float) -> float:
    """Guess what screening a cell of so many genes costs, in readings of the cell."""
    return READINGS if request.goal is not None else READINGS + genes_of_cell / 2


def screen_genes(
    model: FoundationModel, cells: Cells, folder: Path, *, report: Report
) -> NDArray[np.float64]:
    """Estimate how far the deletion of each gene moves the cells, or how near to the goal, (G,).

    The mean over the cells that hold a gene; -inf where too few do. An earlier try may have left it in the folder.
    """
    kept = folder / FILE
    if kept.exists():
        scores: NDArray[np.float64] = np.load(kept)
        return scores
    found = model.screen_deletions(cells.adata, cells.tokens, goal=cells.goal, report=report)
    scores = np.where(found.n_cells >= FEWEST_CELLS, found.values, -np.inf)
    draft = kept.with_suffix(".draft.npy")
    np.save(draft, scores)
    draft.replace(kept)
    return scores


def recall_in_words(chosen: Sequence[float], random: Sequence[float], *, n_genes: int) -> str:
    """Say how well the screen chose, as far as exact edits of random genes can tell.

    Parameters
    ----------
    chosen, random
        Exact mean shifts of the genes that the screen chose and of random ones that it did not.
    n_genes
        Genes that were screened.

    Examples
    --------
    >>> recall_in_words([3.0, 1.0], [2.0], n_genes=9).split(": ")[1]
    'of the 2 strongest of these 3, the screen had chosen 1. Too few random genes tell how many it missed.'
    """
    n_top = min(N_TOP, len(chosen))
    values = np.nan_to_num(np.array([*chosen, *random]), nan=-np.inf)
    top = np.argsort(-values, kind="stable")[:n_top]
    return (
        f"All {n_genes:,} genes were screened, and the best {len(chosen):,} edited exactly, as were "
        f"{len(random):,} random ones: of the {n_top} strongest of these {len(values):,}, the screen had chosen "
        f"{int(np.sum(top < len(chosen)))}. {_missed(values[: len(chosen)], values[len(chosen) :], n_genes=n_genes)}"
    )


def _missed(chosen: NDArray[np.floating], random: NDArray[np.floating], *, n_genes: int) -> str:
    """Say how many genes that were not edited are as strong as the strongest that the screen chose, by the random ones.

    The bar is the last of the strongest of the chosen, (C,); of the rest so many pass it as of the random ones, (R,).
    """
    rest = n_genes - len(chosen) - len(random)
    if len(random) < FEWEST_RANDOM:
        return "Too few random genes tell how many it missed."
    if rest <= 0:
        return "No gene was left out."
    bar = np.sort(chosen)[::-1][min(N_TOP, len(chosen)) - 1]
    share = share_interval(random >= bar)
    low, high = (round(rest * one) for one in (share.low, share.high))
    said = (
        f"Of the {rest:,} genes that were not edited, {low:,} to {high:,} would be as strong as the last of the "
        f"{min(N_TOP, len(chosen))} strongest (95 % interval, by the random genes)"
    )
    if share.low > MOST_MISSED:
        return (
            f'{said}: the screen has not found the strongest. Edit more of them exactly ("Of every gene, edit the '
            'best"), or choose a goal, towards which it ranks better.'
        )
    return f"{said}."
