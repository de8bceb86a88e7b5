"""Vectors, graph, modules, scores, and what stands beside them; cells that a model has read outlive a stop."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.memory import GIGABYTE, peak_gb
from scviz.metrics.coherence import means_by_type
from scviz.metrics.evidence import counted
from scviz.networks.communities import RESOLUTIONS, Stability, stability
from scviz.networks.module_scores import module_scores, zero_to_one
from scviz.networks.similarity import GeneGraph
from scviz.progress import Progress
from scviz.tasks.context import Context
from scviz.tasks.known_types import types_of
from scviz.tasks.modules import EXPRESSION, MOST_LINKS, Request, Result
from scviz.tasks.modules.clustering import Cut, cut_genes, picture
from scviz.tasks.modules.inputs import Inputs, gather
from scviz.tasks.modules.judging import judge
from scviz.tasks.modules.telling import tell
from scviz.tasks.modules.vectors import every_vectors
from scviz.tasks.modules.verdict import notes_of, outcome, verdict
from scviz.tasks.price import Price

TRIAL_CELLS = 2


def run(request: Request, context: Context) -> Result:
    """Carry the request out."""
    begun = time.monotonic()
    context.report(Progress(stage="Reading cells"))
    types = types_of(context.workspace, request.dataset, request.label_key)
    chosen = gather(request, context)
    inputs, vectors = every_vectors(request, chosen, context)
    cuts = cut_genes(request, vectors, context)
    own = next(iter(cuts.values()))  # of the source asked for
    firm = _firmness(request, own, context)
    scores = _scores(request, inputs, own)
    judgement = judge(request, inputs, cuts=cuts, context=context)
    sides = (own, cuts[EXPRESSION])
    telling = tell(request, inputs, types, cuts=sides, beside=judgement.beside, context=context)
    modules, edges = own.gene_sets(inputs.genes), own.graph.edges(inputs.genes)
    return Result(
        source=request.source,
        modules=modules,
        facts=telling.facts,
        scores=scores,
        scaled=request.scaled,
        genes=inputs.genes,
        membership={method: cut.membership for method, cut in cuts.items()},
        link_genes=_places(own.graph),
        link_weights=edges.weights[:MOST_LINKS].astype(np.float32),
        drawing=picture(edges, modules, request.seed),
        methods=judgement.methods,
        gains=judgement.gains,
        by_cell=judgement.by_cell,
        used=_used(inputs),
        told=telling.cells.rows,
        chance=judgement.chance,
        stability=firm,
        types=types.names,
        mean_scores=means_by_type(scores, types.codes, len(types.names)),
        auroc=telling.auroc.astype(np.float32),
        n_found=_n_read(request, inputs),
        n_held_out=len(inputs.held_out),
        outcome=outcome(judgement),
        verdict=verdict(request, judgement, telling.facts),
        notes=(
            *notes_of(
                request, inputs, types, few=telling.cells.few, n_lost=len(chosen.genes) - len(inputs.genes)
            ),
            *depth_of(chosen.adata).notes,
        ),
        seconds=time.monotonic() - begun,
    )


def _used(inputs: Inputs) -> NDArray[np.int8]:
    """Tell what each cell was used for, (N,)."""
    used = np.zeros(inputs.expression.shape[0], dtype=np.int8)
    used[inputs.found_in], used[inputs.held_out] = 1, 2
    return used


def _firmness(request: Request, own: Cut, context: Context) -> Stability:
    """Cut the graph at other resolutions as well."""
    return stability(
        own.graph,
        request.method,
        sorted({*RESOLUTIONS, request.resolution}),
        fewest_genes=request.fewest_genes,
        seed=request.seed,
        report=context.report,
    )


def _scores(request: Request, inputs: Inputs, own: Cut) -> NDArray[np.float32]:
    """Score the modules in all cells, (N, M)."""
    scores = module_scores(inputs.expression, [inputs.columns[genes] for genes in own.members])
    return zero_to_one(scores) if request.scaled else scores


def _places(graph: GeneGraph) -> NDArray[np.int64]:
    """List the genes of the strongest links, (L, 2), in the order of `GeneGraph.edges`."""
    order = np.argsort(-graph.weights, kind="stable")[:MOST_LINKS]
    return np.stack([graph.first[order], graph.second[order]], axis=1)


def _n_read(request: Request, inputs: Inputs) -> int:
    """Count the cells in which modules were found."""
    n_cells = len(inputs.found_in)
    return {"static": 0, "context": min(n_cells, request.context_cells), "expression": n_cells}[
        request.source
    ]


def price(request: Request, context: Context) -> Price:
    """Let the model read two cells, and say what the whole will take."""
    inputs = gather(request, context)
    n_genes, n_methods = len(inputs.genes), 3 if request.checkpoint else 1
    seconds = 3.0 + 4e-6 * n_methods * n_genes**2 + 2e-7 * inputs.expression.nnz
    how = f"{counted(n_genes, 'gene')}, {counted(len(inputs.found_in) + len(inputs.held_out), 'cell')}"
    if request.source == "context" and inputs.model is not None:
        names = [inputs.model.vocab.genes[i] for i in inputs.in_vocab]
        begun = time.perf_counter()
        inputs.model.context_gene_embeddings(inputs.adata[inputs.found_in[:TRIAL_CELLS]], names)
        seconds += 2 * _n_read(request, inputs) / TRIAL_CELLS * (time.perf_counter() - begun)
        how += f", {_n_read(request, inputs):,} of which the model reads twice, once with random weights; timed on two"
    dense = 8 * n_genes * (4 * n_genes + 2 * request.most_cells)
    return Price(seconds=seconds, gigabytes=peak_gb() + dense / GIGABYTE, how=how)
