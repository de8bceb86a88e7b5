"""Judge a trained network on donors and on a file that it never saw, beside what it must beat."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import PCA

from benchmarks.blood.corpus import JUDGE, JUDGING, Corpus, log_expression
from benchmarks.blood.seen import cell_losses, neighbors_of, some, types_of
from benchmarks.blood.start import begun
from scviz.datasets.expression import principal_components, variable_genes
from scviz.foundation.model import FoundationModel
from scviz.metrics.evidence import Gain
from scviz.metrics.neighbors import agreement_gain
from scviz.models import model_class
from scviz.tasks.pretraining.judging import frequency_losses, saved

HELD_OUT = {"dataset": JUDGE, "donors": f"donors {' and '.join(JUDGING)} of the Kang files"}
SEEDS = (1, 2, 3)
"""Of the networks with random weights."""
N_COMPONENTS = 50
LOSS_OF = 0.2
"""Share of the judging cells whose own loss is taken, one by one."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is said of one held-out part."""

    n_cells: int
    named: dict[str, float]
    """Macro-F1 of cells named by their neighbors, by method."""
    gains: dict[str, Gain]
    """Of the model over each other method, on the same cells."""
    losses: dict[str, float]
    """Own loss, by method."""
    saved: dict[str, Gain]


def finished(family: str, state: Path) -> FoundationModel:
    """Read the trained network as it is shipped: weights in bfloat16, medians to four digits."""
    model = model_class(family).from_checkpoint(state / "checkpoint")
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            if weight.is_floating_point():
                weight.copy_(weight.bfloat16())
    if "median" in model.vocab.values:
        short = np.array([float(f"{value:.4g}") for value in model.vocab.values["median"]])
        model.vocab = dataclasses.replace(model.vocab, values={"median": short})
    return model.eval()


def judge(family: str, corpus: Corpus, state: Path, *, n_cells: int, tell: Tell) -> dict[str, Judged]:
    """Judge on every held-out part, and write down what was found."""
    model = finished(family, state)
    others = {f"random weights, seed {seed}": model.newly_initialized(seed) for seed in SEEDS}
    others["first vectors, untrained"] = begun(family, corpus)
    train = corpus.parts["train"]
    components = PCA(N_COMPONENTS, svd_solver="arpack", random_state=0).fit(log_expression(train.X))
    known = model.tokenize(some(train, n_cells))
    found = {}
    for part in HELD_OUT:
        cells = some(corpus.parts[part], n_cells)
        expression = log_expression(sparse.csr_matrix(cells.X))
        vectors = {"model": model.embed(cells)} | {name: one.embed(cells) for name, one in others.items()}
        vectors["principal components of the training cells"] = components.transform(expression)
        vectors["principal components of these cells"] = principal_components(
            expression, genes=variable_genes(expression)
        )
        asked = cells[: round(LOSS_OF * cells.n_obs)]
        losses = {"model": cell_losses(model, asked)} | {
            name: cell_losses(others[name], asked) for name in list(others)[:1]
        }
        losses["frequency baseline"] = frequency_losses(model, known, model.tokenize(asked))
        found[part] = _judged(vectors, losses, cells, family=family)
        tell(f"{part}: {found[part].named} {found[part].losses}")
    content = {part: _written(one) for part, one in found.items()}
    (state / "judged.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return found


def _judged(
    vectors: dict[str, NDArray[np.floating[Any]]],
    losses: dict[str, NDArray[np.float64]],
    cells: AnnData,
    *,
    family: str,
) -> Judged:
    """Compare methods on the same cells; vectors are (N, C), losses (M,)."""
    types, nearest = types_of(cells), {name: neighbors_of(one) for name, one in vectors.items()}
    gains = {
        name: agreement_gain(nearest["model"], rows, types, name=f"{family}-blood", over=name)
        for name, rows in nearest.items()
        if name != "model"
    }
    any_gain = next(iter(gains.values()))
    return Judged(
        n_cells=any_gain.n,
        named={"model": any_gain.score} | {name: gain.baseline_score for name, gain in gains.items()},
        gains=gains,
        losses={name: float(np.nanmean(one)) for name, one in losses.items()},
        saved={
            name: saved(losses["model"], one, name=f"{family}-blood", over=name, seed=0)
            for name, one in losses.items()
            if name != "model"
        },
    )


def ships(judged: dict[str, Any]) -> bool:
    """Tell whether the model beats each network with random weights on the held-out file, the interval above 0."""
    gains = judged["dataset"]["gains"]
    return all(gains[f"random weights, seed {seed}"]["low"] > 0 for seed in SEEDS)


def _written(one: Judged) -> dict[str, Any]:
    def interval(gain: Gain) -> dict[str, float]:
        difference = gain.difference
        return {
            name: round(value, 4)
            for name, value in (
                ("difference", difference.mean),
                ("low", difference.low),
                ("high", difference.high),
            )
        }

    return {
        "cells": one.n_cells,
        "named": {name: round(score, 4) for name, score in one.named.items()},
        "gains": {name: interval(gain) for name, gain in one.gains.items()},
        "losses": {name: round(loss, 4) for name, loss in one.losses.items()},
        "saved": {name: interval(gain) for name, gain in one.saved.items()},
    }
