"""Split, train, name the cells held out, do the same with the baselines, compare."""

from __future__ import annotations

import numpy as np
import torch
from anndata import AnnData

from scviz.foundation.batching import pick_device
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.rejection import certainty
from scviz.progress import Progress
from scviz.tasks.annotation import MODEL, Request, Result
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.annotation.inputs import Inputs, gather, own_parts
from scviz.tasks.annotation.judging import judge
from scviz.tasks.annotation.keeping import keep_classifier
from scviz.tasks.annotation.learning import choose_trained, fits_in_memory, learn, training_settings
from scviz.tasks.annotation.predicting import predict, price_of_prediction
from scviz.tasks.annotation.timing import seconds_per_cell
from scviz.tasks.context import Context
from scviz.tasks.price import Price


def run(request: Request, context: Context) -> Result:
    """Carry the request out; training goes on from its last epoch if an earlier try was stopped."""
    if request.mode == "predict":
        return predict(request, context)
    model = context.model(request.checkpoint, "annotation")
    model.to(pick_device(context.device))
    adata = context.counts(request.dataset)
    inputs = _inputs(request, context, model, adata=adata)
    torch.manual_seed(request.seed)
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(model.device)
    history = learn(classifier, inputs, request=request, context=context)
    keep_classifier(classifier, request, context)
    named = classifier.classify(adata, device=context.device, report=context.report)
    context.report(Progress(stage="Baselines"))
    split, truth = inputs.split, inputs.codes[inputs.split.test]
    predicted = {
        MODEL: named.best[split.test],
        **baselines(adata, inputs.codes, split, seed=request.seed),
    }
    judged = judge(truth, predicted, inputs.types, name=context.workspace.checkpoint(request.checkpoint).name)
    return Result(
        types=inputs.types,
        test_rows=split.test,
        truth=truth,
        predicted=predicted,
        probabilities=named.probabilities[split.test],
        all_predicted=named.best,
        all_confidence=named.probabilities.max(axis=1),
        all_certainty=certainty(named.probabilities),
        n_train=len(split.train),
        n_validation=len(split.validation),
        scores=judged.scores,
        gain=judged.gain,
        losses=tuple(history.loss),
        validation_losses=tuple(history.validation_loss),
        best_epoch=history.best_epoch,
        notes=(*inputs.notes, *judged.notes),
        held_out_groups=split.held_out_groups,
    )


def _inputs(request: Request, context: Context, model: FoundationModel, *, adata: AnnData) -> Inputs:
    parts = own_parts(request, adata, context.workspace.dataset_folder(request.dataset))
    return gather(request, adata, model.n_tokens(adata), parts=parts)


def price(request: Request, context: Context) -> Price:
    """Time one batch of training and one of naming, and say what the whole will take."""
    if request.mode == "predict":
        return price_of_prediction(request, context)
    model, adata = context.model(request.checkpoint, "annotation"), context.counts(request.dataset)
    model.to(pick_device(context.device))
    inputs = _inputs(request, context, model, adata=adata)
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(model.device)
    settings = training_settings(request, classifier)
    choose_trained(classifier, inputs, request)
    rows = np.random.default_rng(request.seed).permutation(inputs.split.train)[: 2 * request.batch_size]
    reading = seconds_per_cell(classifier, adata, rows)
    n_train, n_validation = len(inputs.split.train), len(inputs.split.validation)
    if request.mode == "head":
        reads = 1 if fits_in_memory(classifier, inputs) else settings.epochs
        learning = reads * reading * (n_train + n_validation)
    else:
        training = seconds_per_cell(classifier, adata, rows, codes=inputs.codes)
        learning = settings.epochs * (training * n_train + reading * n_validation)
    return Price(
        seconds=learning + reading * adata.n_obs + 8 + 0.002 * adata.n_obs,
        gigabytes=peak_gb(),
        how=f"{n_train:,} training cells for at most {settings.epochs} epochs, timed on two batches",
    )
