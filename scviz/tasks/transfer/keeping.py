"""Keep what was learned of a reference in the folder of the run, without its cells, ready to name others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scviz.tasks.context import Context
from scviz.tasks.transfer import Method, Request
from scviz.tasks.transfer.genes import GeneSpace
from scviz.tasks.transfer.labeled import Labeled
from scviz.tasks.transfer.learning import Scored
from scviz.tasks.transfer.placing import Place
from scviz.tasks.transfer.references import Reference, Rule, write_reference
from scviz.workspace.records import content_hash
from scviz.workspace.store import seen_as

FOLDER = "reference"
"""In the result of a run."""
NOT_SAID = "that of the reference's cells; this file does not know it"


def keep_rules(
    request: Request,
    inputs: Labeled,
    scored: Sequence[Scored],
    *,
    space: GeneSpace,
    place: Place,
    methods: Sequence[Method],
    ontology_ids: tuple[str, ...],
    context: Context,
) -> None:
    """Write the linear rules with their temperatures; those of nearest cells would need the cells."""
    dataset, rules = context.workspace.dataset(request.reference), []
    tensors = tensors_of(space, place)
    for number, (one, method) in enumerate(zip(scored, methods, strict=True)):
        if one.rule is None:
            continue
        key = f"rule{number}"
        tensors |= {f"{key}.weights": one.rule.weights, f"{key}.intercept": one.rule.intercept}
        rules.append(_rule(key, one, method, context=context))
    reference = Reference(
        name=f"Types of {dataset.name}",
        description=f"Learned from {request.label_key} of {dataset.name}.",
        types=inputs.types,
        ontology_ids=ontology_ids,
        genes=space.genes,
        target=space.target,
        reach=place.reach,
        rules=tuple(rules),
        n_cells=len(inputs.split.train),
        held_out=f"{len(inputs.split.test):,} held-out cells of {dataset.name}",
        license=NOT_SAID,
        sources=(dataset.source,),
        trained_on=(seen_as(dataset),),
    )
    write_reference(reference, tensors, context.result / FOLDER)


def tensors_of(space: GeneSpace, place: Place) -> dict[str, NDArray[np.generic]]:
    """Give the tensors of a space, (A,), (G,) and (G, P), and of the types in it, (K, P)."""
    return {
        "profile": space.profile.astype(np.float32),
        "chosen": space.chosen.astype(np.int32),
        "mean": space.mean,
        "scale": space.scale,
        "components": space.components,
        "centers": place.centers,
        "spread": place.spread,
    }


def _rule(key: str, one: Scored, method: Method, *, context: Context) -> Rule:
    folder = context.workspace.checkpoint_folder(one.checkpoint) if one.checkpoint else None
    return Rule(
        key=key,
        name=one.name,
        temperature=method.temperature,
        scaled=one.scaled,
        accuracy=method.accuracy,
        macro_f1=method.macro_f1,
        validated=method.validated,
        checkpoint=one.checkpoint,
        checkpoint_hash=content_hash(folder) if folder else "",
    )
