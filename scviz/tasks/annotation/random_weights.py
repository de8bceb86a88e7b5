"""The same network with random weights: what a head learns on it is owed to the genes and not to any training."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from scviz.foundation.batching import pick_device
from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.model import FoundationModel
from scviz.progress import Progress
from scviz.tasks.annotation import RANDOM_WEIGHTS, Request
from scviz.tasks.annotation.inputs import Inputs
from scviz.tasks.annotation.learning import Kept, read_all, train_head
from scviz.tasks.annotation.plan import Plan
from scviz.tasks.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The network before any training, and what a head reads of all cells, if that fits in memory."""

    network: FoundationModel
    kept: Kept | None


def plain_network(request: Request, context: Context, inputs: Inputs) -> Plain | None:
    """Read the cells once with random weights for all trainings; None where that is not asked for."""
    if not asks_random_weights(request):
        return None
    context.report(Progress(stage="The same network with random weights"))
    model = context.model(request.checkpoint, "annotation")
    network = model.newly_initialized(request.seed).to(pick_device(context.device))
    classifier = _classifier(network, request, inputs, seed=request.seed)
    return Plain(network=network, kept=read_all(classifier, inputs, report=context.report))


def by_random_weights(
    plain: Plain | None, inputs: Inputs, *, request: Request, context: Context, plan: Plan
) -> dict[str, NDArray[np.int64]]:
    """Name the cells held out, (M,), with a head on the network before any training; none where there is no network.

    Vocabulary, shape, head and its training are those of the model.
    """
    if plain is None:
        return {}
    request = replace(request, seed=(request.seed + plan.seed) % 10_000)
    classifier = _classifier(plain.network, request, inputs, seed=request.seed)
    own = replace(context, folder=context.state / f"random weights {plan.name}")
    train_head(classifier, inputs, request=request, context=own, read=plain.kept)
    held_out = inputs.split.test
    if plain.kept is not None:
        return {RANDOM_WEIGHTS: classifier.classify_read(plain.kept.of(held_out)).argmax(axis=1)}
    named = classifier.classify(inputs.adata[held_out], device=context.device, report=context.report)
    return {RANDOM_WEIGHTS: named.best}


def _classifier(
    network: FoundationModel, request: Request, inputs: Inputs, *, seed: int
) -> CellTypeClassifier:
    torch.manual_seed(seed)
    head = network.classifier(len(inputs.types), pooling=request.pooling)
    return CellTypeClassifier(network, head, inputs.types).to(network.device)


def asks_random_weights(request: Request) -> bool:
    """Tell whether it is made: where the model itself is frozen, so that it costs one more reading of the cells."""
    return request.random_weights and request.mode == "head"
