"""Split, train, name the cells held out, do the same with the baselines, compare; as often as it was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from anndata import AnnData
from numpy.typing import NDArray

from scviz.foundation.batching import pick_device
from scviz.foundation.classifier import CellTypeClassifier, best_types
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.metrics.rejection import certainty
from scviz.progress import Progress
from scviz.tasks.annotation import NewType, Request, Result
from scviz.tasks.annotation.baselines import baselines
from scviz.tasks.annotation.doubt import Doubt, doubt_notes, fit_doubt
from scviz.tasks.annotation.inputs import Inputs, gather, own_parts
from scviz.tasks.annotation.judging import judge
from scviz.tasks.annotation.keeping import keep_classifier
from scviz.tasks.annotation.learning import (
    Kept,
    choose_trained,
    fits_in_memory,
    learn,
    read_all,
    training_settings,
)
from scviz.tasks.annotation.new_types import MOST_CELLS, chosen_cells, leave_types_out
from scviz.tasks.annotation.plan import FIRST, Plan, plans
from scviz.tasks.annotation.predicting import predict, price_of_prediction
from scviz.tasks.annotation.random_weights import (
    Plain,
    asks_random_weights,
    by_random_weights,
    plain_network,
)
from scviz.tasks.annotation.roles import roles_in_training
from scviz.tasks.annotation.rounds import Joined, Round, join, repeat_of, round_of
from scviz.tasks.annotation.timing import seconds_per_cell
from scviz.tasks.context import Context
from scviz.tasks.price import Price
from scviz.training import History
from scviz.workspace.records import RECORD, read_record, write_record

OF_BASELINES = 4.0
"""Seconds that the baselines of one training take at least."""

OF_A_NEW_TYPE = 8.0
"""Seconds that leaving one type out takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The first training, whose classifier names all cells."""

    inputs: Inputs
    raw: NDArray[np.float32]
    """(N, K) probabilities as the classifier gives them."""
    doubt: Doubt
    history: History
    kept: Kept | None
    """What the head reads of all cells, if it was kept."""


def run(request: Request, context: Context) -> Result:
    """Carry the request out; training goes on from its last epoch if an earlier try was stopped."""
    if request.mode == "predict":
        return predict(request, context)
    adata = context.counts(request.dataset)
    first = _train(request, context, adata, plan=FIRST)
    groups = first.inputs.groups
    n_groups = 0 if groups is None else len(set(groups[first.inputs.codes >= 0].tolist()) - {""})
    asked = plans(request, n_groups)
    plain = plain_network(request, context, first.inputs)
    rounds = [_judged(first, request, context, plan=FIRST, plain=plain)]
    rounds += [_again(plan, request, context, first=first, plain=plain) for plan in asked[1:]]
    by_seed = [join([one for one in rounds if one.seed == seed]) for seed in range(request.n_seeds)]
    return _result(request, context, first, by_seed=by_seed)


def _train(
    request: Request, context: Context, adata: AnnData, *, plan: Plan, kept: Kept | None = None
) -> Trained:
    """Carry one training out, up to the doubt of its names."""
    model = context.model(request.checkpoint, "annotation")
    model.to(pick_device(context.device))
    parts = own_parts(request, adata, context.workspace.dataset_folder(request.dataset))
    inputs = gather(request, adata, model.n_tokens(adata), parts=parts, plan=plan)
    request = replace(request, seed=(request.seed + plan.seed) % 10_000)
    torch.manual_seed(request.seed)
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(model.device)
    if request.mode == "head" and kept is None:
        kept = read_all(classifier, inputs, report=context.report)
    history = learn(classifier, inputs, request=request, context=context, kept=kept)
    raw = _named(classifier, adata, context, kept=kept)
    doubt = fit_doubt(raw, inputs, request)
    if plan == FIRST:
        classifier.temperature = doubt.value
        keep_classifier(classifier, request, context)
    return Trained(inputs=inputs, raw=raw, doubt=doubt, history=history, kept=kept)


def _named(
    classifier: CellTypeClassifier, adata: AnnData, context: Context, *, kept: Kept | None
) -> NDArray[np.float32]:
    """Give the probability of each type, (N, K); NaN for cells in which the model sees no gene."""
    if kept is None:
        return classifier.classify(adata, device=context.device, report=context.report).probabilities
    raw = np.full((adata.n_obs, len(classifier.types)), np.nan, dtype=np.float32)
    raw[kept.rows] = classifier.classify_read(kept.values)
    return raw


def _judged(
    trained: Trained, request: Request, context: Context, *, plan: Plan, plain: Plain | None
) -> Round:
    """Name the held-out cells with the baselines, too."""
    context.report(Progress(stage="Baselines"))
    inputs = trained.inputs
    others = baselines(inputs.adata, inputs.codes, inputs.split, seed=request.seed + plan.seed)
    others |= by_random_weights(plain, inputs, request=request, context=context, plan=plan)
    return round_of(plan, inputs, trained.raw, doubt=trained.doubt, baselines=others)


def _again(plan: Plan, request: Request, context: Context, *, first: Trained, plain: Plain | None) -> Round:
    """Carry one more training out, or read what an earlier try has of it."""
    folder = context.state / plan.name
    if (folder / RECORD).exists():
        return read_record(Round, folder)
    trained = _train(request, replace(context, folder=folder), first.inputs.adata, plan=plan, kept=first.kept)
    found = _judged(trained, request, context, plan=plan, plain=plain)
    write_record(found, folder)
    return found


def _result(request: Request, context: Context, first: Trained, *, by_seed: list[Joined]) -> Result:
    """Put together what was found; cells that were held out have the names of who held them out."""
    inputs, doubt, whole = first.inputs, first.doubt, by_seed[0].whole
    probabilities = doubt.probabilities(first.raw)
    probabilities[whole.rows] = whole.probabilities
    name = context.workspace.checkpoint(request.checkpoint).name
    judged = judge(whole.truth, whole.predicted, inputs.types, name=name)
    everyone = np.arange(len(probabilities))
    all_sets = doubt.sets(probabilities, everyone).get(request.sets) if whole.sets else None
    typical = doubt.typical(probabilities)
    if all_sets is not None:
        all_sets[whole.rows] = whole.sets[request.sets]
    if typical is not None and whole.typical is not None:
        typical[whole.rows] = whole.typical
    raw_confidence = first.raw.max(axis=1)
    raw_confidence[whole.rows] = whole.raw_confidence
    split = inputs.split
    return Result(
        types=inputs.types,
        test_rows=whole.rows,
        truth=whole.truth,
        predicted=whole.predicted,
        probabilities=whole.probabilities,
        all_predicted=best_types(probabilities),
        all_confidence=probabilities.max(axis=1),
        all_certainty=certainty(probabilities),
        n_train=len(split.train),
        n_validation=len(split.validation),
        scores=judged.scores,
        gain=judged.gain,
        losses=tuple(first.history.loss),
        validation_losses=tuple(first.history.validation_loss),
        best_epoch=first.history.best_epoch,
        given=inputs.labels.codes.astype(np.int32),
        given_names=inputs.labels.names,
        roles=roles_in_training(inputs, whole.rows),
        notes=(*inputs.notes, *doubt_notes(doubt, len(split.validation)), *judged.notes),
        held_out_groups=split.held_out_groups,
        raw_confidence=raw_confidence if any(by_seed[0].temperatures) else None,
        temperatures=by_seed[0].temperatures,
        folds=by_seed[0].folds if request.folds else None,
        coverage=request.coverage,
        sets_by=request.sets,
        all_sets=all_sets,
        test_sets=whole.sets,
        all_typical=typical,
        calibrating=doubt.calibrating,
        test_groups=None if inputs.groups is None else inputs.groups[whole.rows],
        repeats=tuple(repeat_of(one, inputs.types, request) for one in by_seed),
        novelty=_new_types(request, context, first) if request.novelty else (),
    )


def _new_types(request: Request, context: Context, first: Trained) -> tuple[NewType, ...]:
    """Leave types out, with the vectors of the model as it came."""
    rows = chosen_cells(first.inputs, request.seed)
    model = context.model(request.checkpoint, "annotation")
    vectors = model.embed(first.inputs.adata[rows], device=context.device, report=context.report)
    return leave_types_out(first.inputs, rows, vectors, seed=request.seed, report=context.report)


def price(request: Request, context: Context) -> Price:
    """Time one batch of training and one of naming, and say what the whole will take."""
    if request.mode == "predict":
        return price_of_prediction(request, context)
    model, adata = context.model(request.checkpoint, "annotation"), context.counts(request.dataset)
    model.to(pick_device(context.device))
    parts = own_parts(request, adata, context.workspace.dataset_folder(request.dataset))
    inputs = gather(request, adata, model.n_tokens(adata), parts=parts)
    head = model.classifier(len(inputs.types), pooling=request.pooling)
    classifier = CellTypeClassifier(model, head, inputs.types).to(model.device)
    settings = training_settings(request, classifier)
    choose_trained(classifier, inputs, request)
    rows = np.random.default_rng(request.seed).permutation(inputs.split.train)[: 2 * request.batch_size]
    reading = seconds_per_cell(classifier, adata, rows)
    n_train, n_validation = len(inputs.split.train), len(inputs.split.validation)
    times = len(plans(request))
    judging = OF_BASELINES + 0.002 * adata.n_obs
    if request.mode == "head" and fits_in_memory(classifier, inputs):
        seconds = reading * adata.n_obs + times * judging
    else:
        learning = settings.epochs * reading * (n_train + n_validation)
        if request.mode != "head":
            training = seconds_per_cell(classifier, adata, rows, codes=inputs.codes)
            learning = settings.epochs * (training * n_train + reading * n_validation)
        seconds = times * (learning + reading * adata.n_obs + judging)
    if asks_random_weights(request):
        seconds += reading * adata.n_obs + times * judging / 2
    if request.novelty:
        seconds += reading * min(adata.n_obs, MOST_CELLS) + OF_A_NEW_TYPE * len(inputs.types)
    often = f", {times} times" if times > 1 else ""
    return Price(
        seconds=seconds + OF_BASELINES,
        gigabytes=peak_gb(),
        how=f"{counted(n_train, 'training cell')} for at most {settings.epochs} epochs{often}, timed on two batches",
    )
