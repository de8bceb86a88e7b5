"""Name cells by a reference without cells: nothing is trained."""

from __future__ import annotations

import time

import numpy as np

from scviz.errors import CheckpointError, RequestError
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.transfer import Request, Result
from scviz.tasks.transfer.finishing import Named, finish
from scviz.tasks.transfer.fitting import Genes
from scviz.tasks.transfer.genes import GeneSpace, Shared, shared_genes, space_of
from scviz.tasks.transfer.learning import components_of, scores_of
from scviz.tasks.transfer.placing import Place
from scviz.tasks.transfer.references import TAUGHT, Kept, Reference, Rule
from scviz.tasks.transfer.rules import Floats, Linear, probabilities
from scviz.tasks.transfer.saved_scores import found_of
from scviz.tasks.transfer.vectors import vectors_of
from scviz.workspace.cell_marks import ENOUGH, MANY, share_known
from scviz.workspace.names import same_content
from scviz.workspace.records import content_hash


def name_by_saved(request: Request, kept: Kept, context: Context) -> Result:
    """Name every cell by the rules of a saved reference, with the temperatures that it keeps.

    Raises
    ------
    GeneMatchError
        If next to none of its genes is in the dataset.
    RequestError
        If a model is asked for that it was not learned with.
    """
    reference, query = kept.reference, context.counts(request.dataset)
    context.report(Progress(stage="Naming cells"))
    shared = shared_genes(query, reference.genes)
    space = space_of(reference.genes, reference.target, kept.tensors)
    rules, notes = _rules(request, kept, context)
    seconds, given = {}, {}
    for rule in rules:
        begun = time.monotonic()
        scores = _scores(rule, kept, space, shared=shared, context=context, dataset=request.dataset)
        named = probabilities(scores, rule.temperature)
        given[rule.name] = named if rule.checkpoint else shared.where_read(named)
        seconds[rule.name] = time.monotonic() - begun
    genes = Genes(
        n_shared=len(shared.places),
        n_reference=len(reference.genes),
        n_query=query.n_vars,
        read=float(space.profile[shared.places].sum()),
        taught=_share_taught(kept, request, context) >= MANY,
    )
    pcs, shallow = shared.where_read(components_of(space, shared)), shared.notes()
    del query, shared  # what is to come reads the cells in its own way, and needs the memory
    return finish(
        request,
        Named(
            types=reference.types,
            ontology_ids=reference.ontology_ids,
            probabilities=given,
            found=found_of(rules, kept, seconds=seconds),
        ),
        genes,
        place=_place(kept),
        pcs=pcs,
        reference_name=reference.name,
        held_out=reference.held_out,
        notes=(
            *reference.notes,
            *notes,
            *shallow,
            *_taught(kept, request, context),
            *_seen(rules, reference, context),
        ),
        context=context,
    )


def _taught(kept: Kept, request: Request, context: Context) -> tuple[str, ...]:
    """Say that the cells to be named, or some of them, are those that the reference learned from."""
    reference = kept.reference
    no_test = "that the names agree with their labels is no test."
    if any(same_content(one, request.dataset) for one in reference.trained_on):
        return (f"Cells of this very dataset taught {reference.name}: {no_test}",)
    share = _share_taught(kept, request, context)
    if share < ENOUGH:
        return ()
    how_many = "All" if share == 1 else f"About {100 * share:.0f} % or more of"
    return (f"{how_many} the cells are among those that taught {reference.name}: {no_test}",)


def _share_taught(kept: Kept, request: Request, context: Context) -> float:
    known = np.asarray(kept.tensors.get(TAUGHT, np.zeros(0)), dtype=np.uint64)
    folder = context.workspace.dataset_folder(request.dataset)
    return share_known(folder, kept.reference.trained_on, known)


def _seen(rules: list[Rule], reference: Reference, context: Context) -> tuple[str, ...]:
    """Say which models were trained on the cells that the reference learned from and was scored on."""
    infos = [context.workspace.checkpoint(rule.checkpoint) for rule in rules if rule.checkpoint]
    names = [
        info.name
        for info in infos
        if any(same_content(seen, one) for seen in info.trained_on for one in reference.trained_on)
    ]
    return tuple(
        f"{name} was trained on cells that {reference.name} learned from, without their types: its accuracy there is "
        "that of cells that it may have seen."
        for name in names
    )


def _rules(request: Request, kept: Kept, context: Context) -> tuple[list[Rule], list[str]]:
    """Take the rules on genes, and those of the models that are asked for or name, with the weights they learned with.

    Returns
    -------
    The rules, and what else to know.
    """
    reference = kept.reference
    rules = [rule for rule in reference.rules if not rule.checkpoint]
    for checkpoint in request.checkpoints:
        fitting = _of_model(reference, checkpoint, context)
        if not fitting:
            raise RequestError(
                f"{reference.name} was not learned with "
                f"{context.workspace.checkpoint(checkpoint).name}, or with other weights of it.",
                hint="Leave the model out, or choose a labeled dataset as reference.",
            )
        rules += [rule for rule in fitting if rule not in rules]
    own, notes = _of_the_chosen(reference, context)
    return rules + [rule for rule in own if rule not in rules], notes


def _of_the_chosen(reference: Reference, context: Context) -> tuple[list[Rule], list[str]]:
    """Take the rules of the model that the reference names by, and say it if that model is not here."""
    names = next((one for one in reference.rules if one.name == reference.chosen), None)
    if names is None or not names.checkpoint:
        return [], []
    try:
        fitting = _of_model(reference, names.checkpoint, context)
    except CheckpointError:
        fitting = []
    if fitting:
        return fitting, []
    return [], [
        f"{reference.name} names by {names.name}; that model, with the same weights, is not here, so another rule "
        "names."
    ]


def _of_model(reference: Reference, checkpoint: str, context: Context) -> list[Rule]:
    """Take the rules that were learned with the weights of a checkpoint."""
    context.workspace.checkpoint(checkpoint)
    own = content_hash(context.workspace.checkpoint_folder(checkpoint))
    return [rule for rule in reference.rules if rule.checkpoint and rule.checkpoint_hash == own]


def _scores(
    rule: Rule, kept: Kept, space: GeneSpace, *, shared: Shared, context: Context, dataset: str
) -> Floats:
    """Score the cells of the dataset by one rule, (N, K)."""
    linear = Linear(
        weights=np.asarray(kept.tensors[f"{rule.key}.weights"], dtype=np.float32),
        intercept=np.asarray(kept.tensors[f"{rule.key}.intercept"], dtype=np.float32),
    )
    if rule.checkpoint:
        vectors = vectors_of(context.counts(dataset), rule.checkpoint, context, of="dataset")
        return linear.scores(vectors)
    return scores_of(space, shared, linear, scaled=rule.scaled)


def _place(kept: Kept) -> Place:
    centers, spread = (np.asarray(kept.tensors[name], dtype=np.float32) for name in ("centers", "spread"))
    return Place(centers=centers, spread=spread, reach=kept.reference.reach)
