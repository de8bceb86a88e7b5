"""Links, modules, pruning, activity, specificity; finished targets outlive a stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.labels import Labels
from scviz.memory import GIGABYTE, peak_gb
from scviz.metrics.coherence import means_by_type
from scviz.metrics.evidence import fdr
from scviz.networks.activity import (
    FEWEST_GENES,
    TOP_SHARE,
    Activity,
    aucell,
    detected_quantiles,
    specificity,
    specificity_p,
    threshold,
)
from scviz.networks.binned_trees import binned
from scviz.networks.boosting import correlations, edges_of, fitted_chunks, grnboost
from scviz.networks.motifs import Pruning, Rankings, enriched_motifs, read_annotations, regulons_of
from scviz.networks.regulons import (
    CoexpressionModule,
    Families,
    Regulon,
    coexpression_modules,
    joined_modules,
    pruned_by_prior,
)
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.known_types import types_of
from scviz.tasks.price import Price
from scviz.tasks.scenic import PRUNED, Request, Result
from scviz.tasks.scenic.edge_weights import edge_weights, seconds_to_read, trees_of
from scviz.tasks.scenic.inputs import Inputs, gather
from scviz.tasks.scenic.judging import described, judge, known_matrix, strongest, tested
from scviz.tasks.scenic.picture import picture
from scviz.tasks.scenic.verdict import verdict_of

TRIAL_TARGETS = 4


def run(request: Request, context: Context) -> Result:
    """Carry the request out; targets that an earlier try has finished are not fitted again."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading cells"))
    types = types_of(context.workspace, request.dataset, request.label_key)
    inputs = gather(request, context)
    rho = correlations(inputs.sampled, inputs.regulators, inputs.targets)
    linked = edge_weights(request, inputs, context, rho=rho)
    context.report(Progress(stage="Cutting modules"))
    modules = _modules(request, inputs, linked[request.method], rho=rho)
    regulons = _pruned(request, inputs, modules, context=context)
    activity = aucell(
        inputs.expression, inputs.genes, [one.gene_set for one in regulons], report=context.report
    )
    scored = set(activity.names)
    overlaps = tested(joined_modules(modules) if request.pruned == "prior" else regulons, inputs)
    regulons = [one for one in regulons if one.name in scored]
    context.report(Progress(stage="Comparing with chance"))
    on = _on(activity, request.seed)
    known = known_matrix(inputs)
    judged = judge(inputs, linked, known, seed=request.seed)
    found = described(regulons, overlaps, on.mean(axis=0))
    checked_by = inputs.known.name if known is not None and inputs.known is not None else ""
    tables = _by_type(activity, types, request.seed)
    outcome, sentence = verdict_of(
        request.method, judged, found, pruned=request.pruned, checked_by=checked_by
    )
    return Result(
        method=request.method,
        pruned=request.pruned,
        regulons=found,
        auc=activity.auc.astype(np.float32),
        on=on,
        types=types.names,
        mean_auc=tables[0],
        rss=tables[1],
        rss_fdr=tables[2],
        links={name: strongest(inputs, one, known) for name, one in linked.items()},
        regulators=inputs.regulator_names,
        targets=inputs.target_names,
        strengths={str(name): one for name, one in linked.items()},
        known=judged.judged if known is None else known,
        judged=judged.judged,
        overlaps=overlaps,
        checks=judged.checks,
        gain=judged.gain,
        outcome=outcome,
        checked_by=checked_by,
        n_candidates=judged.n_candidates,
        n_known=judged.n_known,
        n_regulators=len(inputs.regulators),
        n_targets=len(inputs.targets),
        n_cells=len(inputs.rows),
        n_modules=len(modules),
        verdict=sentence,
        notes=(*_notes(request, inputs, modules=modules, regulons=regulons), *types.notes, *inputs.notes),
        drawing=picture(found, seed=request.seed),
        seconds=time.monotonic() - begun,
    )


def _modules(
    request: Request, inputs: Inputs, strength: NDArray[np.float64], *, rho: NDArray[np.float64]
) -> list[CoexpressionModule]:
    edges = edges_of(strength, inputs.regulator_names, inputs.target_names)
    rows = {gene: i for i, gene in enumerate(inputs.regulator_names)}
    columns = {gene: i for i, gene in enumerate(inputs.target_names)}
    own = rho[[rows[gene] for gene in edges.sources], [columns[gene] for gene in edges.targets]]
    return coexpression_modules(edges, own, Families(fewest_genes=request.fewest_genes))


def _pruned(
    request: Request, inputs: Inputs, modules: Sequence[CoexpressionModule], *, context: Context
) -> list[Regulon]:
    """Keep what motifs, or known links, support."""
    if request.pruned == "motif":
        rankings = Rankings(Path(request.rankings))
        annotations = read_annotations(Path(request.annotations))
        enriched = []
        for done, module in enumerate(modules):
            context.report(Progress(stage="Looking for motifs", done=done, total=len(modules)))
            enriched += enriched_motifs(module, rankings, annotations, pruning=Pruning())
        return regulons_of(enriched)
    if request.pruned == "prior" and inputs.prior is not None:
        return pruned_by_prior(modules, inputs.prior.targets, inputs.target_names)
    return sorted(joined_modules(modules), key=lambda one: (-len(one.weights), one.name))


def _on(activity: Activity, seed: int) -> NDArray[np.bool_]:
    """Tell in which cells each regulon is on, (N, R)."""
    limits = [threshold(column, seed=seed) for column in activity.auc.T]
    return np.asarray(activity.auc > np.array(limits).reshape(1, -1), dtype=np.bool_)


def _by_type(activity: Activity, types: Labels, seed: int) -> list[NDArray[np.float32]]:
    """Mean activity, specificity, and the false discovery rate of specificity, (T, R) each."""
    if not types.names:
        return [np.empty((0, len(activity.names)), dtype=np.float32)] * 3
    n_types, codes = len(types.names), types.codes
    p = specificity_p(activity.auc, codes, n_types, seed=seed)
    made: list[NDArray[np.floating]] = [
        means_by_type(activity.auc, codes, n_types),
        specificity(activity.auc, codes, n_types),
        fdr(p.ravel()).reshape(p.shape),
    ]
    return [table.astype(np.float32) for table in made]


def _notes(
    request: Request, inputs: Inputs, *, modules: Sequence[CoexpressionModule], regulons: Sequence[Regulon]
) -> tuple[str, ...]:
    """Say what else to know."""
    notes = [f"Targets are {PRUNED[request.pruned]}."]
    if request.condition_key:
        notes.append(
            "Perturbations tell of the regulators that were perturbed: all methods are compared on the links of these."
        )
    if inputs.expression.shape[0] > len(inputs.rows):
        notes.append(
            f"Links were looked for in {len(inputs.rows):,} cells drawn from {inputs.expression.shape[0]:,}."
        )
    if not modules:
        notes.append(
            f"No regulator has a module of {request.fewest_genes} genes: allow smaller modules, or more genes."
        )
    elif not regulons:
        notes.append("No module was supported, or none of its genes is measured.")
    least = detected_quantiles(inputs.expression)["0.1"]
    if least < TOP_SHARE:
        notes.append(
            f"A tenth of the cells express fewer than {100 * least:.1f} % of the genes, and activity looks at the "
            f"first {100 * TOP_SHARE:.0f} %: in those cells it depends on genes that were not seen."
        )
    notes.append(f"Regulons with fewer than {FEWEST_GENES} measured genes are left out.")
    return tuple(notes)


def help_out(request: Request, context: Context) -> None:
    """Fit targets of a run that another process carries out, as long as there are some that nobody else has."""
    if request.method == "boosting":
        inputs, chunks = gather(request, context), trees_of(context)
        for _ in fitted_chunks(
            inputs.sampled,
            inputs.regulators,
            inputs.targets,
            numbers=chunks.unclaimed_of,
            seed=request.seed,
            chunks=chunks,
            report=context.report,
        ):
            pass  # each is in the state folder now


def price(request: Request, context: Context) -> Price:
    """Grow the trees of a few targets, and say what the whole will take."""
    inputs = gather(request, context)
    seconds = 5.0 + 2e-7 * inputs.expression.shape[0] * len(inputs.genes)
    how = (
        f"{len(inputs.regulators):,} regulators, {len(inputs.targets):,} targets, {len(inputs.rows):,} cells"
    )
    if request.method == "boosting":
        sampled = inputs.sampled
        known = sampled[:, list(inputs.regulators)].toarray().astype(np.float32)
        some = np.random.default_rng(0).permutation(inputs.targets)[:TRIAL_TARGETS].tolist()
        bins = binned(known)
        grnboost(binned(known[:50]), known[:50, 0], seed=0)  # compiles
        begun = time.perf_counter()
        for target in some:
            grnboost(bins, sampled[:, [target]].toarray()[:, 0], seed=request.seed)
        seconds += (time.perf_counter() - begun) / len(some) * len(inputs.targets)
        how += f"; trees of {len(some)} targets timed"
    if request.method == "similarity":
        seconds += seconds_to_read(request, inputs, context)
        how += "; the model timed on two cells"
    dense = 8 * len(inputs.regulators) * (len(inputs.targets) * 4 + len(inputs.rows))
    return Price(seconds=seconds, gigabytes=peak_gb() + dense / GIGABYTE, how=how)
