"""Read attention in two groups of cells, take the columns of the regulators, hold them against known targets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.datasets.expression import depth_of
from scviz.datasets.labels import cell_labels
from scviz.memory import peak_gb
from scviz.networks.attention import SETTINGS, Setting, influence, ranked_attention
from scviz.networks.drawing import Drawing, by_regulator, draw
from scviz.progress import Progress
from scviz.tasks.attention_network import ATTENTION, COEXPRESSION, Check, Request, Result
from scviz.tasks.attention_network.checking import area, by_chance, check
from scviz.tasks.attention_network.known_targets import known_targets
from scviz.tasks.attention_network.reading import mean_attention
from scviz.tasks.attention_network.subject import Subject, find_subject
from scviz.tasks.attention_network.verdict import notes_of, verdict_of
from scviz.tasks.context import Context
from scviz.tasks.price import Price

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def run(request: Request, context: Context) -> Result:
    """Carry the request out; cells that an earlier try has added up are not read again."""
    start = time.monotonic()
    folder = context.workspace.dataset_folder(request.dataset)
    prior = known_targets(request.prior, folder)
    subject = find_subject(request, context)
    attention = mean_attention(subject, context, published=request.published)
    context.report(Progress(stage="Co-expression"))
    correlation = (_correlation(subject.expression[0]), _correlation(subject.expression[1]))
    found = {one: _columns(attention, subject.regulators, one) for one in SETTINGS}
    beside = {one: _coexpression(correlation, subject.regulators, one) for one in SETTINGS}
    targets = _targets(prior.targets, subject)
    others = _expressed_alike(request, subject)
    null = {one: _null(attention, others, subject, targets, one) for one in SETTINGS}
    checks = tuple(
        one
        for setting in SETTINGS
        for one in _checks(request, setting, targets, found[setting], beside[setting], null[setting])
    )
    result = Result(
        genes=subject.genes,
        regulators=request.regulators,
        influence={name: values.astype(np.float32) for name, values in found.items()},
        coexpression={name: values.astype(np.float32) for name, values in beside.items()},
        null_auroc={str(name): areas for name, areas in null.items()},
        null_genes=tuple(tuple(subject.genes[i] for i in row) for row in others),
        checks=checks,
        n_control=len(subject.groups[0]),
        n_perturbed=len(subject.groups[1]),
        prior=prior.name,
        verdict=verdict_of(request, checks),
        notes=(
            *notes_of(
                request, subject, targets, seen=np.asarray(np.isfinite(found["difference"]).any(axis=1))
            ),
            *cell_labels(folder, request.column, asked=(request.control, request.perturbed)).notes,
            *depth_of(subject.adata).notes,
        ),
        seconds=time.monotonic() - start,
    )
    drawings = {str(one): _drawing(result, one, request) for one in SETTINGS}
    return replace(result, drawings=drawings, seconds=time.monotonic() - start)


def _drawing(result: Result, setting: Setting, request: Request) -> Drawing:
    """Draw each regulator with its top targets; a target has the color of the regulator that influences it most."""
    edges = result.edges(setting, request.top)
    drawing = draw(edges, by_regulator(edges), seed=request.seed)
    words = f"Each regulator and its {request.top} targets of highest influence, if above 0."
    return replace(drawing, rule=f"{words} {drawing.rule}")


def _columns(means: Pair, genes: NDArray[np.int64], setting: Setting) -> NDArray[np.float64]:
    """Take the influence of genes, (n, M); NaN for each gene on itself."""
    values = np.array([influence(*means, int(gene), setting) for gene in genes])
    values[np.arange(len(genes)), genes] = np.nan
    return values


def _correlation(expression: sparse.csr_matrix) -> NDArray[np.float64]:
    """Correlate genes over cells, (M, M); 0 for a gene that is equal in all cells."""
    dense = expression.toarray().astype(np.float64)
    dense -= dense.mean(axis=0)
    norms = np.linalg.norm(dense, axis=0)
    dense /= np.where(norms > 0, norms, 1)
    return np.asarray(dense.T @ dense)


def _coexpression(correlation: Pair, genes: NDArray[np.int64], setting: Setting) -> NDArray[np.float64]:
    """Rank by correlation without its sign, or by its change, (n, M); NaN for each gene on itself."""
    values = np.abs(_columns(correlation, genes, setting))
    return np.asarray(values)


def _targets(known: Mapping[str, frozenset[str]], subject: Subject) -> NDArray[np.bool_]:
    """Mark the known targets of each regulator, (R, M)."""
    names = [(subject.symbols[at], subject.genes[at]) for at in subject.regulators]
    rows = []
    for symbol, name in names:
        of_this = known.get(symbol, frozenset()) | known.get(name, frozenset())
        pairs = zip(subject.symbols, subject.genes, strict=True)
        rows.append([symbol in of_this or gene in of_this for symbol, gene in pairs])
    return np.array(rows, dtype=bool)


def _expressed_alike(request: Request, subject: Subject) -> NDArray[np.int64]:
    """Find the genes whose mean expression is nearest to that of each regulator, (R, n)."""
    mean = np.asarray(sparse.vstack(subject.expression).mean(axis=0)).ravel()
    others = np.setdiff1d(np.arange(len(mean)), subject.regulators)
    nearest = [
        others[np.argsort(np.abs(mean[others] - mean[regulator]), kind="stable")[: request.n_null]]
        for regulator in subject.regulators
    ]
    return np.array(nearest, dtype=np.int64)


def _null(
    attention: Pair,
    others: NDArray[np.int64],
    subject: Subject,
    targets: NDArray[np.bool_],
    setting: Setting,
) -> NDArray[np.float64]:
    """Try other genes in the place of each regulator, (R, n) areas."""
    areas = np.full(others.shape, np.nan)
    for row, regulator in enumerate(subject.regulators):
        for i, values in enumerate(_columns(attention, others[row], setting)):
            values[regulator] = np.nan
            areas[row, i] = area(values, targets[row])
    return areas


def _checks(
    request: Request,
    setting: Setting,
    targets: NDArray[np.bool_],
    attention: NDArray[np.float64],
    coexpression: NDArray[np.float64],
    null: NDArray[np.float64],
) -> list[Check]:
    """Judge attention, co-expression and random genes for each regulator that has known targets."""
    checks: list[Check] = []
    for row, regulator in enumerate(request.regulators):
        candidates = np.isfinite(attention[row])
        if not (targets[row] & candidates).any():
            continue
        beside = np.where(candidates, coexpression[row], np.nan)
        own = check(
            attention[row],
            targets[row],
            regulator=regulator,
            setting=setting,
            method=ATTENTION,
            top=request.top,
            null=null[row].tolist(),
        )
        plain = check(
            beside, targets[row], regulator=regulator, setting=setting, method=COEXPRESSION, top=request.top
        )
        checks += [own, plain, by_chance(own)]
    return checks


def price(request: Request, context: Context) -> Price:
    """Time two cells and say what all will take."""
    subject = find_subject(request, context)
    rows = subject.groups[0][:2]
    seconds = 0.0
    for row in rows:
        start = time.perf_counter()
        for cell in subject.model.gene_attention(subject.adata[[row]], subject.columns):
            ranked_attention(cell.scores, published=request.published)
        seconds = time.perf_counter() - start
    n_cells, n_genes = sum(map(len, subject.groups)), len(subject.columns)
    return Price(
        seconds=seconds * n_cells + 3,
        gigabytes=peak_gb() + 150 * n_genes**2 / 1e9,
        how=f"{n_cells:,} cells and {n_genes:,} genes, timed on one cell",
    )
