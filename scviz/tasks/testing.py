"""Read ten cells of the demo with some weights, with random ones, and with the names of the genes shuffled."""

from __future__ import annotations

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.demo import demo_cells
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import bootstrap, counted
from scviz.progress import Progress, Report
from scviz.tasks.tested import FEWEST_GENES, N_CELLS, N_SHUFFLED, SHIFTS, SelfTest


def self_test(model: FoundationModel, report: Report, *, seed: int = 0) -> SelfTest:
    """Test a model where it is; nothing of it changes."""
    adata = demo_cells(N_CELLS)
    known = np.flatnonzero(model.column_tokens(adata.var) >= 0)
    if len(known) < FEWEST_GENES:
        reason = f"they know {counted(len(known), 'gene')} of the {adata.n_vars:,} of its {N_CELLS} cells."
        return SelfTest(n_genes=len(known), of_genes=adata.n_vars, reason=reason)
    if absent := model.load_report.missing:
        reason = (
            f"{counted(len(absent), 'tensor')} of pre-training, such as {absent[0]}, are not in the file."
        )
        return SelfTest(n_genes=len(known), of_genes=adata.n_vars, reason=reason)
    try:
        found = _all_losses(model, adata, known, report=report, seed=seed)
    except ValueError as error:  # it reads cells in another way than in its pre-training
        return SelfTest(n_genes=len(known), of_genes=adata.n_vars, reason=str(error))
    own, random, *others = found
    shuffled = np.mean(others[: -len(SHIFTS)], axis=0)
    shifted = min(others[-len(SHIFTS) :], key=np.nanmean)
    return SelfTest(
        n_genes=len(known),
        of_genes=adata.n_vars,
        own=float(np.nanmean(own)),
        random=float(np.nanmean(random)),
        shuffled=float(np.nanmean(shuffled)),
        shifted=float(np.nanmean(shifted)),
        over_random=bootstrap(random - own),
        over_shuffled=bootstrap(shuffled - own),
        over_shifted=bootstrap(shifted - own),
    )


def _all_losses(
    model: FoundationModel, adata: AnnData, known: NDArray[np.int64], *, report: Report, seed: int
) -> list[NDArray[np.float64]]:
    """Give the losses of each cell, (N,) each: of the weights, of random ones, then with other names of genes."""
    rng, genes = np.random.default_rng(seed), np.array(model.vocab.genes)
    place_of = {int(token): place for place, token in enumerate(model.vocab.ids)}
    tokens = model.column_tokens(adata.var)[known]
    places = np.array([place_of[int(token)] for token in tokens])
    named = [genes[places], genes[places]]
    named += [genes[rng.permutation(places)] for _ in range(N_SHUFFLED)]
    named += [genes[(places + shift) % len(genes)] for shift in SHIFTS]
    found = []
    for step, names in enumerate(named):
        report(Progress(stage="Testing the weights on ten cells", done=step, total=len(named)))
        read = adata[:, known].copy()
        read.var_names = names
        found.append(_losses(model.newly_initialized(seed) if step == 1 else model, read, seed=seed))
    return found


def _losses(model: FoundationModel, adata: AnnData, *, seed: int) -> NDArray[np.float64]:
    """Give the model's own loss of each cell, (N,); NaN where it sees none of its genes."""
    tokens, found = model.tokenize(adata), np.full(adata.n_obs, np.nan)
    model.eval()
    with torch.no_grad():
        for cell in np.flatnonzero(model.n_tokens(adata) > 0):
            one = tokens.take(slice(cell, cell + 1))
            found[cell] = float(model.pretraining_loss(one, torch.Generator().manual_seed(seed)))
    return found
