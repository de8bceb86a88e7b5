"""Train a model on the reference: a classifier with it, and all of its weights or adapters."""

from __future__ import annotations

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray
from torch import Tensor, nn

from scviz.foundation.batching import pick_device
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.lora import add_adapters, merge_adapters
from scviz.tasks.context import Context
from scviz.tasks.transfer import Tuning
from scviz.training import Cells, TrainingSettings, fit

EPOCHS = {"lora": 30, "full": 10}
PATIENCE = {"lora": 8, "full": 3}
RATES = {"lora": 5e-4, "full": 5e-5}
SMALL, SMALL_STEPS = 256, 8.0
"""Models that are narrower than this are trained with larger steps."""
BATCH = 32


def tuned_classifier(
    checkpoint: str,
    cells: AnnData,
    *,
    codes: NDArray[np.int64],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    types: tuple[str, ...],
    tuning: Tuning,
    seed: int,
    context: Context,
) -> CellTypeClassifier:
    """Train a classifier with its model; it goes on from its last epoch if an earlier try was stopped.

    Parameters
    ----------
    cells
        (R, G) raw counts of the reference.
    codes
        (R,) positions in `types`.
    train, validation
        (n,) and (m,) rows to learn from, and to stop by.
    """
    model = context.model(checkpoint, "annotation").to(pick_device(context.device))
    torch.manual_seed(seed)
    head = model.classifier(len(types), pooling="mean")
    classifier = CellTypeClassifier(model, head, types).to(model.device)
    lengths = model.n_tokens(cells)
    train, validation = train[lengths[train] > 0], validation[lengths[validation] > 0]
    if tuning == "lora":
        add_adapters(classifier, model.tokenize(cells[train[:2]]))

    def loss(rows: NDArray[np.int64]) -> Tensor:
        scores = classifier(model.tokenize(cells[rows]))
        found: Tensor = nn.functional.cross_entropy(
            scores.float(), torch.as_tensor(codes[rows], device=scores.device)
        )
        return found

    classifier.train()  # weights come from a file ready for use, that is without dropout
    wide = model.gene_embeddings().shape[1] >= SMALL
    settings = TrainingSettings(
        epochs=EPOCHS[tuning],
        batch_size=BATCH,
        learning_rate=RATES[tuning] * (1.0 if wide else SMALL_STEPS),
        patience=PATIENCE[tuning],
        seed=seed,
    )
    state = context.state / f"{checkpoint.replace('/', '-')}-{tuning}"
    state.mkdir(exist_ok=True)
    own = Cells(train=train, validation=validation, lengths=lengths)
    fit(classifier, loss, own, settings=settings, report=context.report, state=state)
    if tuning == "lora":
        merge_adapters(classifier)
    return classifier.eval()
