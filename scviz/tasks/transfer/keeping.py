"""Keep what was learned of a reference in the folder of the run, without its cells, ready to name others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.evidence import counted
from scviz.tasks.context import Context
from scviz.tasks.transfer import FewerGenes, Method, Request
from scviz.tasks.transfer.fewer_genes import measured_with_fewer
from scviz.tasks.transfer.genes import GeneSpace, Shared
from scviz.tasks.transfer.judging import Found, chosen_method
from scviz.tasks.transfer.labeled import Labeled
from scviz.tasks.transfer.learning import Scored
from scviz.tasks.transfer.placing import Place
from scviz.tasks.transfer.references import BASELINE, JUDGED, TAUGHT, TRUTH, Reference, Rule, write_reference
from scviz.workspace.cell_marks import read_marks
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
    held_out: Shared,
    found: Found,
    ontology_ids: tuple[str, ...],
    context: Context,
) -> None:
    """Write the linear rules with their temperatures; those of nearest cells would need the cells.

    Parameters
    ----------
    held_out
        The M cells that judge, with the genes of the space.
    """
    dataset, kept = context.workspace.dataset(request.reference), _kept(scored, found)
    names = [method.name for _, _, method in kept]
    chosen = found.chosen if found.chosen in names else _next_best(kept, found)
    reference = Reference(
        name=f"Types of {dataset.name}",
        description=f"Learned from {request.label_key} of {dataset.name}.",
        types=inputs.types,
        ontology_ids=ontology_ids,
        genes=space.genes,
        target=space.target,
        reach=place.reach,
        rules=tuple(
            replace(
                _rule(key, one, method, found=found, context=context),
                fewer=_fewer(one, space, held_out, truth=inputs.codes[inputs.split.test]),
            )
            for key, one, method in kept
        ),
        n_cells=len(inputs.split.train),
        held_out=f"{counted(len(inputs.split.test), 'held-out cell')} of {dataset.name}",
        license=NOT_SAID,
        sources=(dataset.source,),
        trained_on=(seen_as(dataset),),
        notes=() if chosen == found.chosen else (_other_way(found.chosen, chosen),),
        chosen=chosen,
        n_validation=found.n_validation,
        n_calibrating=found.n_calibrating,
        baselines=tuple(found.baselines),
    )
    tensors = tensors_of(space, place) | _of_held_out(kept, found, n_test=len(inputs.split.test))
    tensors[TAUGHT] = read_marks(context.workspace.dataset_folder(request.reference))
    for key, one, _ in kept:
        if one.rule is not None:
            tensors |= {f"{key}.weights": one.rule.weights, f"{key}.intercept": one.rule.intercept}
    write_reference(reference, tensors, context.result / FOLDER)


def _kept(scored: Sequence[Scored], found: Found) -> list[tuple[str, Scored, Method]]:
    """Give a key to each way that can be kept."""
    pairs = enumerate(zip(scored, found.methods, strict=True))
    return [(f"rule{number}", one, method) for number, (one, method) in pairs if one.rule is not None]


def _fewer(
    one: Scored, space: GeneSpace, held_out: Shared, *, truth: NDArray[np.int64]
) -> tuple[FewerGenes, ...]:
    """Judge a rule on genes with fewer of them, on the M cells that judge; empty for one on vectors of a model."""
    if one.rule is None or one.checkpoint:
        return ()
    return measured_with_fewer(space, one.rule, held_out, truth=truth, scaled=one.scaled)


def _next_best(kept: Sequence[tuple[str, Scored, Method]], found: Found) -> str:
    return chosen_method([method for _, _, method in kept], n_validation=found.n_validation)


def _other_way(chosen: str, kept: str) -> str:
    return (
        f"The run that learned this classifier named by {chosen}, which needs the cells or a trained model and "
        f"cannot be kept; the classifier names by {kept}."
    )


def _of_held_out(
    kept: Sequence[tuple[str, Scored, Method]], found: Found, *, n_test: int
) -> dict[str, NDArray[np.generic]]:
    """Keep of the held-out cells their types, (M,), scores, (M, K), and names by baselines, (M,), in any order."""
    if found.truth is None:
        return {}
    order = np.random.default_rng(0).permutation(n_test)
    tensors: dict[str, NDArray[np.generic]] = {TRUTH: found.truth[order].astype(np.int32)}
    tensors |= {f"{key}{JUDGED}": one.judged[-n_test:][order] for key, one, _ in kept}
    names = enumerate(found.baselines.values())
    return tensors | {f"{BASELINE}{number}": one[order].astype(np.int32) for number, one in names}


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


def _rule(key: str, one: Scored, method: Method, *, found: Found, context: Context) -> Rule:
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
        bar=found.bars.get(one.name, float("nan")),
    )
