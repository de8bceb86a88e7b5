"""Read attention in two groups of cells, take the columns of the regulators, judge them by known targets."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of
from scviz.datasets.labels import cell_labels
from scviz.memory import peak_gb
from scviz.metrics.evidence import counted
from scviz.networks.attention import SETTINGS, Setting, ranked_attention
from scviz.networks.drawing import Drawing, by_regulator, draw
from scviz.progress import Progress
from scviz.tasks.attention_network import Request, Result
from scviz.tasks.attention_network.inputs import gather
from scviz.tasks.attention_network.judging import Judged, control_genes, judge
from scviz.tasks.attention_network.maps import columns_of, correlation, mean_attention
from scviz.tasks.attention_network.verdict import notes_of, verdict_of
from scviz.tasks.context import Context
from scviz.tasks.price import Price


def run(request: Request, context: Context) -> Result:
    """Carry the request out; cells that an earlier try has added up are not read again."""
    start = time.monotonic()
    inputs = gather(request, context)
    attention = mean_attention(inputs, context, published=request.published)
    context.report(Progress(stage="Co-expression"))
    both = (correlation(inputs.expression[0]), correlation(inputs.expression[1]))
    influence = {str(one): columns_of(attention, inputs.regulators, one) for one in SETTINGS}
    plain = {str(one): np.abs(columns_of(both, inputs.regulators, one)) for one in SETTINGS}
    context.report(Progress(stage="Comparing with control regulators"))
    controls = control_genes(request, inputs)
    tried = {str(one): _tried(attention, controls, one) for one in SETTINGS}
    judged = judge(request, inputs, influence=influence, coexpression=plain, controls=tried)
    result = _result(request, inputs.genes, judged, influence=influence, coexpression=plain)
    seen = np.asarray(np.isfinite(influence["difference"]).any(axis=1))
    folder = context.workspace.dataset_folder(request.dataset)
    labels = cell_labels(folder, request.column, asked=(request.control, request.perturbed))
    return replace(
        result,
        known=inputs.known,
        control_genes=tuple(tuple(inputs.genes[i] for i in row) for row in controls),
        n_control=len(inputs.groups[0]),
        n_perturbed=len(inputs.groups[1]),
        prior=inputs.prior,
        notes=(*notes_of(request, inputs, seen=seen), *labels.notes, *depth_of(inputs.adata).notes),
        drawings={str(one): _drawing(result, one, request) for one in SETTINGS},
        seconds=time.monotonic() - start,
    )


def _result(
    request: Request,
    genes: tuple[str, ...],
    judged: Judged,
    *,
    influence: dict[str, NDArray[np.float32]],
    coexpression: dict[str, NDArray[np.float32]],
) -> Result:
    """Put what was found and what it is worth together."""
    outcome, sentence = verdict_of(judged)
    return Result(
        genes=genes,
        regulators=request.regulators,
        influence=influence,
        coexpression=coexpression,
        control_auroc=judged.control_auroc,
        checks=judged.checks,
        gain=judged.gain,
        outcome=outcome,
        verdict=sentence,
    )


def _tried(
    attention: tuple[NDArray[np.float64], NDArray[np.float64]], controls: NDArray[np.int64], setting: Setting
) -> NDArray[np.float32]:
    """Take the influence of each control regulator, (R, n, M)."""
    return np.array([columns_of(attention, row, setting) for row in controls], dtype=np.float32)


def _drawing(result: Result, setting: Setting, request: Request) -> Drawing:
    """Draw each regulator with its top targets; a target has the color of the regulator that influences it most."""
    edges = result.edges(setting, request.top)
    drawing = draw(edges, by_regulator(edges), seed=request.seed)
    words = f"Each regulator and its {request.top} targets of highest influence, if above 0."
    return replace(drawing, rule=f"{words} {drawing.rule}")


def price(request: Request, context: Context) -> Price:
    """Time two cells and say what all will take."""
    inputs = gather(request, context)
    seconds = 0.0
    for row in inputs.groups[0][:2]:
        start = time.perf_counter()
        for cell in inputs.model.gene_attention(inputs.adata[[row]], inputs.columns):
            ranked_attention(cell.scores, published=request.published)
        seconds = time.perf_counter() - start
    n_cells, n_genes = sum(map(len, inputs.groups)), len(inputs.columns)
    return Price(
        seconds=seconds * n_cells + 3,
        gigabytes=peak_gb() + 150 * n_genes**2 / 1e9,
        how=f"{counted(n_cells, 'cell')} and {counted(n_genes, 'gene')}, timed on one cell",
    )
