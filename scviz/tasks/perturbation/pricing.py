"""What a prediction of a screen will take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from scviz.memory import peak_gb
from scviz.tasks.context import Context
from scviz.tasks.perturbation import Request
from scviz.tasks.perturbation.inputs import Inputs, gather
from scviz.tasks.perturbation.methods import Method
from scviz.tasks.perturbation.predictors import build
from scviz.tasks.price import Price

TRIAL_CELLS = (8, 64)
"""Control cells, and as many perturbed ones, that the trials take."""
TRIAL_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a network took on a few cells."""

    per_cell: float = math.inf
    """Seconds for a cell of training."""
    per_prediction: float = math.inf
    """Seconds for a perturbation."""
    epochs: int = 0
    """That training takes at most."""


def price(request: Request, context: Context) -> Price:
    """Train each network for a moment, and say what the whole will take."""
    inputs = gather(request, context)
    n_train, n_judged = len(inputs.train.codes), len(inputs.split.validation)
    seconds, parts = 10.0 + 2e-9 * inputs.screen.expression.nnz * len(inputs.test), []
    for method in request.every_method:
        if not method.card.trains:
            seconds += 1.0
            continue
        found = _trial(method, inputs, context)
        of_an_epoch = found.per_cell * n_train + found.per_prediction * n_judged
        seconds += found.epochs * of_an_epoch + found.per_prediction * len(inputs.wanted)
        parts.append(f"{method.card.title} {found.epochs} epochs over {n_train:,} cells")
    how = "; ".join(parts) or "baselines only"
    return Price(seconds=seconds, gigabytes=peak_gb(), how=f"{how}; timed on a few cells")


def _trial(method: Method, inputs: Inputs, context: Context) -> Trial:
    settings = build(method, inputs, context).settings
    if settings is None:
        return Trial(per_cell=0.0, per_prediction=0.0)
    rng, train = np.random.default_rng(inputs.request.seed), inputs.train
    trial = Trial()
    for n_cells in TRIAL_CELLS:
        controls = train.rows(())[:n_cells]
        perturbed = np.flatnonzero(train.codes != train.index[()])
        few = train.take(np.sort(np.concatenate([controls, rng.permutation(perturbed)[:n_cells]])))
        size = min(n_cells, settings.batch_size)
        predictor = build(method, inputs, context, epochs=1, batch_size=size)
        start = time.perf_counter()
        predictor.fit(few, None)
        learned = time.perf_counter()
        predictor.predict(few.perturbed[:1])
        done = time.perf_counter()
        scale = min(300, len(train.rows(()))) / max(1, len(controls))
        trial = Trial(
            per_cell=(learned - start) / len(few.codes),
            per_prediction=(done - learned) * scale,
            epochs=settings.epochs,
        )
        if done - start > TRIAL_SECONDS:  # the first one also loads libraries; where it is slow, it must do
            break
    return trial
