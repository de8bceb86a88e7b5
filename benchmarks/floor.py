"""How far each network is from the arithmetic floor: `python -m benchmarks.floor [--only scbert] [--repeats 3]`.

Networks of the published shapes with random weights read simulated cells of 1,000 expressed genes on one core, or on a
GPU where there is one (`--device cuda`, in bfloat16). The multiplications and additions of what runs are counted by
PyTorch's own counter; the peak of the core is that of a large matrix product in single precision, measured before and
after each piece of work, in the same process, so that other work on the machine harms both alike. The floor is the time
that the counted arithmetic takes at that peak. Every row is a process of its own, with its own peak of memory.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from scipy import sparse
from torch.utils import flop_counter

from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.edits import Edit
from scviz.foundation.model import FoundationModel
from scviz.foundation.tokens import Tokens
from scviz.memory import peak_gb
from scviz.models import model_class

SHAPES = {
    "geneformer": {"v1-10m": 25_424, "v2-104m": 20_271},
    "scgpt": {"whole-human": 60_694},
    "scfoundation": {"119m": 19_264},
    "scbert": {"panglao": 16_906},
}
"""Shapes of each family, and how many genes their vocabularies have."""
N_EXPRESSED, N_CELLS, N_TYPES = 1000, 2, 10
N_DELETED = 8
"""Deletions of which the time of all is told."""
EMBED, CLASSIFY, DECODE, DELETE = "embed", "classify", "decode", "delete, each"
FROZEN, FULL = "step, head alone", "step, all weights"
PUBLISHED = "step, as published"
TASKS = (EMBED, CLASSIFY, DECODE, DELETE, FROZEN, PUBLISHED, FULL)
PEAK = 2048
"""Rows of the square matrices whose product shows the peak."""
ATEN = torch.ops.aten


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row."""

    family: str
    shape: str
    task: str
    repeats: int
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a row cost for one cell."""

    gflop: float
    seconds: float
    """Of the CPU on one core; of the clock on a GPU."""
    floor: float
    """Share of these that the arithmetic alone takes at the peak of the core."""
    peak_gflops: float
    gb: float


def simulated(n_genes: int) -> AnnData:
    """Make cells that express 1,000 genes, and a last one that expresses all and is there for the vocabulary."""
    rng, rows = np.random.default_rng(0), []
    for _ in range(N_CELLS):
        row = np.zeros(n_genes, dtype=np.float32)
        row[rng.choice(n_genes, N_EXPRESSED, replace=False)] = rng.geometric(0.4, N_EXPRESSED)
        rows.append(row)
    counts = sparse.csr_matrix(np.vstack([*rows, np.ones(n_genes, dtype=np.float32)]))
    return AnnData(counts, var=pd.DataFrame(index=[f"ENSG{gene:011d}" for gene in range(n_genes)]))


def work_of(model: FoundationModel, adata: AnnData, task: str) -> tuple[Callable[[], Any], int] | None:
    """Give what is timed, and for how many cells it stands; None where a family has no such task."""
    tokens = model.tokenize(adata[:N_CELLS])
    if task == EMBED:
        return lambda: model.encode_cells(tokens), N_CELLS
    if task == CLASSIFY:
        classifier = CellTypeClassifier(
            model, model.classifier(N_TYPES).eval(), [str(one) for one in range(N_TYPES)]
        )
        return lambda: classifier(tokens), N_CELLS
    if task == DECODE:
        return (
            (lambda: model.predicted_expression(tokens), N_CELLS)
            if model.card.name == "scfoundation"
            else None
        )
    if task == DELETE:
        return deletions(model, adata, tokens)
    return step(model, tokens, task), N_CELLS


def deletions(model: FoundationModel, adata: AnnData, tokens: Tokens) -> tuple[Callable[[], Any], int]:
    """Read one cell after each of some deletions."""
    one = tokens.take(slice(0, 1))
    present = np.flatnonzero(adata.X[0].toarray().ravel())[:N_DELETED]
    edited = [
        model.edited(adata[:1], Edit(kind="delete", genes=(str(adata.var_names[gene]),)), tokens=one)
        for gene in present
    ]
    return lambda: [model.encode_cells(each) for each in edited], N_DELETED


def step(model: FoundationModel, tokens: Tokens, task: str) -> Callable[[], Any]:
    """Train for one update: the head, what the authors train, or all weights."""
    head = model.classifier(N_TYPES)
    classifier = CellTypeClassifier(model, head, [str(one) for one in range(N_TYPES)])
    classifier.to(model.device).train()
    if task == PUBLISHED:
        model.freeze_as_published()
    else:
        model.requires_grad_(task == FULL)
    trained = [weights for weights in classifier.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6)
    types = torch.arange(len(tokens), device=model.device) % N_TYPES

    def update() -> None:
        if task == FROZEN:
            model.eval()
            with torch.no_grad():
                read = classifier.select(tokens)
            scores = head(read)
        else:
            scores = classifier(tokens)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(scores.float(), types).backward()
        optimizer.step()

    return update


def counted(work: Callable[[], Any]) -> float:
    """Count multiplications and additions of a piece of work, in units of 10^9."""
    more = {
        ATEN.addmm_: lambda _sum, first, second, **_rest: 2 * first[0] * first[1] * second[1],
        ATEN._scaled_dot_product_flash_attention_for_cpu: lambda query, key, value, *_rest, **_more: (
            flop_counter.sdpa_flop_count(query, key, value)
        ),
        ATEN._scaled_dot_product_flash_attention_for_cpu_backward: lambda down, query, key, value, *_rest, **_more: (
            flop_counter.sdpa_backward_flop_count(down, query, key, value)
        ),
    }
    with flop_counter.FlopCounterMode(display=False, custom_mapping=more) as counter:
        work()
    return float(counter.get_total_flops()) / 1e9


def timed(work: Callable[[], Any], device: str) -> float:
    """Give the seconds of the CPU, or of the clock where a GPU works."""
    if device == "cpu":
        begun = time.process_time()
        work()
        return time.process_time() - begun
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def measured(asked: Asked) -> Measured | None:
    """Measure one row; None where there is no such task."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    adata = simulated(SHAPES[asked.family][asked.shape])
    model = model_class(asked.family).untrained(adata, asked.shape).eval().to(asked.device)
    found = work_of(model, adata, asked.task)
    if found is None:
        return None
    work, n_cells = found
    grad = asked.task in (FROZEN, FULL, PUBLISHED)
    kind = torch.float32 if asked.device == "cpu" else torch.bfloat16
    square = torch.randn(PEAK, PEAK, device=asked.device, dtype=kind)

    def peak() -> float:
        return 2 * PEAK**3 / 1e9 / timed(lambda: square @ square, asked.device)

    how: AbstractContextManager[Any] = nullcontext() if grad else torch.inference_mode()
    low = nullcontext() if asked.device == "cpu" else torch.autocast("cuda", torch.bfloat16)
    with how, low:
        work()
        peak()
        rounds = [(peak(), timed(work, asked.device), peak()) for _ in range(asked.repeats)]
        gb = peak_gb() if asked.device == "cpu" else torch.cuda.max_memory_allocated() / 1e9
        gflop = counted(work)  # last: a counter keeps what training would let go
    shares = [gflop / seconds / ((before + after) / 2) for before, seconds, after in rounds]
    return Measured(
        gflop=gflop / n_cells,
        seconds=float(np.median([seconds for _, seconds, _ in rounds])) / n_cells,
        floor=float(np.median(shares)),
        peak_gflops=float(np.median([before for before, _, _ in rounds])),
        gb=gb,
    )


def rows(options: argparse.Namespace) -> Iterator[Asked]:
    """Give what is asked for, one after another."""
    for family, shapes in SHAPES.items():
        for shape in shapes:
            if options.only in f"{family} {shape}":
                for task in TASKS:
                    if options.task in task:
                        yield Asked(
                            family=family,
                            shape=shape,
                            task=task,
                            repeats=options.repeats,
                            device=options.device,
                        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="networks whose name has this")
    parser.add_argument("--task", default="", help="tasks whose name has this")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    print(
        "| network | task | GFLOP a cell | s a cell | % of floor | GB |\n| --- | --- | --- | --- | --- | --- |"
    )
    for asked in rows(options):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(measured, asked).result()
        if found:
            print(
                f"| {asked.family} {asked.shape} | {asked.task} | {found.gflop:,.1f} | {found.seconds:.3g} | "
                f"{100 * found.floor:.0f} | {found.gb:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
