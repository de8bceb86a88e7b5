"""Split, train, name the cells held out, do the same with the baselines, compare."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.foundation.batching import Walk, pick_device
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens
from scviz.memory import peak_gb
from scviz.progress import Progress
from scviz.tasks.annotation import MODEL, Request, Result
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.annotation.inputs import Inputs, gather
from scviz.tasks.annotation.judging import judge
from scviz.tasks.annotation.learning import (
    choose_trained,
    cross_entropy,
    fits_in_memory,
    learn,
    training_settings,
)
from scviz.tasks.context import Context
from scviz.tasks.price import Price


def run(request: Request, context: Context) -> Result:
    """Carry the request out; training goes on from its last epoch if an earlier try was stopped."""
    model = context.model(request.checkpoint, "annotation")
    device = pick_device(context.device)
    model.to(device)
    adata = context.counts(request.dataset)
    inputs = gather(request, adata, model.n_tokens(adata))
    torch.manual_seed(request.seed)
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(device)
    history = learn(classifier, inputs, request, context)
    known = context.workspace.seen_after(request.checkpoint, request.dataset)
    classifier.save(context.result / "classifier", trained_on=known)
    probabilities = _name_all(classifier, inputs, context)
    context.report(Progress(stage="Baselines"))
    split, truth = inputs.split, inputs.codes[inputs.split.test]
    predicted = {
        MODEL: probabilities[split.test].argmax(axis=1).astype(np.int64),
        **baselines(adata, inputs.codes, split, seed=request.seed),
    }
    judged = judge(truth, predicted, inputs.types, name=context.workspace.checkpoint(request.checkpoint).name)
    seen = ~np.isnan(probabilities[:, 0])
    return Result(
        types=inputs.types,
        test_rows=split.test,
        truth=truth,
        predicted=predicted,
        probabilities=probabilities[split.test],
        all_predicted=np.where(seen, np.nan_to_num(probabilities).argmax(axis=1), -1).astype(np.int64),
        all_confidence=probabilities.max(axis=1),
        n_train=len(split.train),
        n_validation=len(split.validation),
        scores=judged.scores,
        gain=judged.gain,
        losses=history.loss,
        validation_losses=history.validation_loss,
        best_epoch=history.best_epoch,
        notes=(*inputs.notes, *judged.notes),
        held_out_groups=split.held_out_groups,
    )


def _name_all(classifier: CellTypeClassifier, inputs: Inputs, context: Context) -> NDArray[np.float32]:
    """Give the probabilities of the types for every cell, (N, K); NaN where the model sees no gene."""

    def probabilities(tokens: Tokens) -> Tensor:
        scores: Tensor = classifier(tokens)
        return scores.float().softmax(dim=1)

    answer = np.full((inputs.adata.n_obs, len(inputs.types)), np.nan, dtype=np.float32)
    classifier.to(pick_device(context.device)).eval()
    walk = Walk(classifier.encoder, inputs.adata, report=context.report, stage="Naming cells")
    for rows, part in walk.each(probabilities):
        answer[rows] = part
    return answer


def price(request: Request, context: Context) -> Price:
    """Time one batch of training and one of naming, and say what the whole will take."""
    model, adata = context.model(request.checkpoint, "annotation"), context.counts(request.dataset)
    model.to(pick_device(context.device))
    inputs = gather(request, adata, model.n_tokens(adata))
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(model.device)
    settings = training_settings(request, classifier)
    choose_trained(classifier, inputs, request)
    rows = np.random.default_rng(request.seed).permutation(inputs.split.train)[: 2 * request.batch_size]
    reading = _seconds_per_cell(classifier, inputs, rows, train=False)
    n_train, n_validation = len(inputs.split.train), len(inputs.split.validation)
    if request.mode == "head":
        reads = 1 if fits_in_memory(classifier, inputs) else settings.epochs
        learning = reads * reading * (n_train + n_validation)
    else:
        training = _seconds_per_cell(classifier, inputs, rows, train=True)
        learning = settings.epochs * (training * n_train + reading * n_validation)
    return Price(
        seconds=learning + reading * adata.n_obs + 8 + 0.002 * adata.n_obs,
        gigabytes=peak_gb(),
        how=f"{n_train:,} training cells for at most {settings.epochs} epochs, timed on two batches",
    )


def _seconds_per_cell(
    classifier: CellTypeClassifier, inputs: Inputs, rows: NDArray[np.int64], *, train: bool
) -> float:
    """Time two batches, the second of which counts."""
    halves = np.array_split(rows, 2)
    seconds = 0.0
    classifier.train(train)
    for part in halves:
        start = time.perf_counter()
        with torch.set_grad_enabled(train):
            loss = cross_entropy(
                classifier(classifier.encoder.tokenize(inputs.adata[part])), inputs.codes[part]
            )
            if train:
                torch.autograd.backward(loss)
        seconds = time.perf_counter() - start
    classifier.zero_grad()
    return seconds / max(1, len(halves[-1]))
