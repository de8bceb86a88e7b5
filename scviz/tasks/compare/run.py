"""Embed with one model after another, then principal components; find neighbors, draw maps, score, compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression, principal_components, variable_genes
from scviz.datasets.labels import Labels
from scviz.datasets.neighbors import map_of_cells, neighbors_of
from scviz.errors import GeneMatchError, RequestError
from scviz.foundation.batching import Walk, pick_device, time_per_cell
from scviz.foundation.chunks import embed_cells
from scviz.foundation.model import FoundationModel
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.metrics.neighbors import FEWEST_OF_TYPE, neighbor_overlap, random_overlap, without_rare
from scviz.progress import Progress, Report
from scviz.tasks.compare import MOST_TYPES, PCA, Request, Result, with_random_weights
from scviz.tasks.compare.judging import Embedded, Groups, judge, verdict_of
from scviz.tasks.context import Context
from scviz.tasks.known_types import types_of
from scviz.tasks.price import Price
from scviz.workspace.chunks import Chunks

LEAVE_OUT = "Leave it out of the comparison."


def run(request: Request, context: Context) -> Result:
    """Carry the request out; what an earlier try has embedded is not embedded again."""
    adata = context.counts(request.dataset)
    known = [_labels(key, request, context) for key in (request.label_key, request.batch_key)]
    vectors = _embed_all(request, adata, context)
    names = {method: _name(method, context) for method in vectors}
    shown = [*request.checkpoints, PCA]
    umap, neighbors = _drawn(vectors, request, names=names, shown=shown, report=context.report)
    common = np.logical_and.reduce([_has_vector(rows) for rows in vectors.values()])  # (N,)
    types, batches = (np.where(common, one.codes, -1) for one in known)
    groups = Groups(types=without_rare(types), batches=batches)
    methods = {one: Embedded(vectors=vectors[one], neighbors=neighbors[one]) for one in vectors}
    judged = judge(methods, groups, names=names, seed=request.seed, report=context.report)
    outcome, verdict = verdict_of(judged.gains, judged.over_random)
    overlap, disagreement = compare_neighbors({method: neighbors[method] for method in shown})
    return Result(
        methods=tuple(shown),
        umap=umap,
        neighbors=neighbors,
        types=groups.types,
        batches=groups.batches,
        named=judged.by_cell("named"),
        clusters=judged.by_cell("cluster"),
        silhouette_label=judged.by_cell("silhouette_label"),
        silhouette_batch=judged.by_cell("silhouette_batch"),
        elsewhere=judged.by_cell("elsewhere"),
        scores=judged.scores,
        halves=judged.halves,
        gains=judged.gains,
        over_random=judged.over_random,
        outcome=outcome,
        verdict=verdict,
        disagreement=disagreement,
        overlap=overlap,
        random_overlap=random_overlap(adata.n_obs, neighbors[PCA].shape[1]),
        n_cells=int(common.sum()),
        n_unseen={method: int((~_has_vector(vectors[method])).sum()) for method in shown},
        notes=(*known[0].notes, *known[1].notes, *_rare(known[0], types), *depth_of(adata).notes),
    )


def _drawn(
    vectors: Mapping[str, NDArray[np.float32]],
    request: Request,
    *,
    names: Mapping[str, str],
    shown: Sequence[str],
    report: Report,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.int32]]]:
    """Draw a map of each method that is shown, (N, 2), and find neighbors of all, (N, k)."""
    umap, neighbors = {}, {}
    for method, rows in vectors.items():
        if method not in shown:
            neighbors[method] = neighbors_of(
                rows, _has_vector(rows), n_neighbors=request.n_neighbors, seed=request.seed
            )
            continue
        neighbors[method], umap[method] = map_of_cells(
            rows,
            _has_vector(rows),
            n_neighbors=request.n_neighbors,
            min_dist=request.min_dist,
            seed=request.seed,
            report=report,
            stage=f"Drawing the map of {names[method]}",
        )
    return umap, neighbors


def _embed_all(request: Request, adata: AnnData, context: Context) -> dict[str, NDArray[np.float32]]:
    """Embed the cells with each model, with random weights, too, where asked, (N, C) each; the baseline comes last."""
    vectors = {}
    for number, checkpoint in enumerate(request.checkpoints):
        name = _name(checkpoint, context)
        context.report(Progress(stage=f"Loading {name}"))
        model = context.model(checkpoint, "embedding")
        vectors[checkpoint] = _embed(model, adata, context, name=name, folder=f"{number}")
        if request.random_weights:
            method = with_random_weights(checkpoint)
            plain = model.newly_initialized(request.seed)
            vectors[method] = _embed(
                plain, adata, context, name=_name(method, context), folder=f"{number}_random"
            )
    context.report(Progress(stage="Principal components"))
    expression = log_expression(adata.X, depth_of(adata))
    vectors[PCA] = principal_components(expression, genes=variable_genes(expression), seed=request.seed)
    return vectors


def _embed(
    model: FoundationModel, adata: AnnData, context: Context, *, name: str, folder: str
) -> NDArray[np.float32]:
    """Embed the cells with one model, (N, C); what an earlier try has read lies in a folder of the state."""
    state = context.state / folder
    state.mkdir(exist_ok=True)
    chunks = Chunks(state)
    chunks.clear_up()
    try:
        walk = Walk(
            model.to(pick_device(context.device)),
            adata,
            report=context.report,
            stage=f"Reading cells with {name}",
        )
        vectors = embed_cells(walk, chunks)
    except GeneMatchError as error:  # it does not say which of the models
        raise GeneMatchError(f"{name} knows no gene of these cells.", hint=LEAVE_OUT) from error
    if not vectors.shape[1]:
        raise GeneMatchError(f"{name} knows no gene that was seen in these cells.", hint=LEAVE_OUT)
    return vectors


def _rare(labels: Labels, types: NDArray[np.int64]) -> list[str]:
    """Name the types that are not scored; types is (N,)."""
    counts = np.bincount(types[types >= 0], minlength=len(labels.names))
    names = [name for name, n in zip(labels.names, counts, strict=True) if n < FEWEST_OF_TYPE]
    return [f"Not scored, with fewer than {FEWEST_OF_TYPE} cells: {', '.join(names)}."] if names else []


def compare_neighbors(
    neighbors: Mapping[str, NDArray[np.int32]],
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Compare the neighbors that M methods give to the same cells.

    Parameters
    ----------
    neighbors
        (N, k) of each method.

    Returns
    -------
    Mean overlap of each pair, (M, M); and disagreement of all pairs on each cell, (N,), NaN for cells that
    have no neighbors with one of the methods.
    """
    matrix, pairs = np.eye(len(neighbors)), []
    for (i, first), (j, second) in combinations(enumerate(neighbors.values()), 2):
        shared = neighbor_overlap(first, second)
        pairs.append(shared)
        known = shared[np.isfinite(shared)]
        matrix[i, j] = matrix[j, i] = known.mean() if len(known) else np.nan
    return matrix, (1 - np.mean(pairs, axis=0)).astype(np.float32)


def _has_vector(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which cells have a vector, (N,)."""
    return np.asarray(np.isfinite(vectors).all(axis=1), dtype=np.bool_)


def _labels(key: str | None, request: Request, context: Context) -> Labels:
    """Read a column of groups; no labels when no column is asked for."""
    labels = types_of(context.workspace, request.dataset, key)
    if len(labels.names) > MOST_TYPES:
        raise RequestError(
            f"The column {key!r} names {counted(len(labels.names), 'group')} of cells.",
            hint=f"Choose a column of words with at most {MOST_TYPES} different ones.",
        )
    return labels


def _name(method: str, context: Context) -> str:
    """Return the name of a method, for progress."""
    if method == PCA:
        return "principal components"
    own = method.removesuffix(with_random_weights(""))
    name = context.workspace.checkpoint(own).name
    return name if own == method else with_random_weights(name)


def price(request: Request, context: Context) -> Price:
    """Time three batches with each model, and say what the whole will take."""
    adata = context.counts(request.dataset)
    seconds = 0.0
    for checkpoint in request.checkpoints:
        model = context.model(checkpoint, "embedding")
        model.to(pick_device(context.device))
        seconds += time_per_cell(model, adata) * adata.n_obs * (1 + request.random_weights)
    n_maps = len(request.checkpoints) + 1
    also = " and as many with random weights" if request.random_weights else ""
    drawing = 10 + n_maps * (1 + 0.003 * adata.n_obs)  # maps and scores, a rough guess
    return Price(
        seconds=seconds + drawing,
        gigabytes=peak_gb() + 4 * adata.n_obs * 400 * n_maps / 1e9,
        how=f"{counted(adata.n_obs, 'cell')} with {counted(len(request.checkpoints), 'model')}{also}, timed on "
        "batches of long, usual "
        f"and short cells, and {n_maps} maps",
    )
