"""What a search for regulons reads: cells, regulators, targets, known links."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scviz.datasets.expression import depth_of, log_expression, variable_genes
from scviz.datasets.gene_keys import matched
from scviz.datasets.genes import identifiers
from scviz.datasets.simulated import truth_of
from scviz.errors import DataError, RequestError
from scviz.networks.priors import Prior, prior_of, read_prior, read_regulators, regulators_left_out
from scviz.networks.shipped import shipped_regulators
from scviz.tasks.context import Context
from scviz.tasks.scenic import Request

FEWEST_REGULATORS = 3
HOW_TO_NAME = (
    "Name a list of regulators (.txt) or a prior network (TF - target) "
    "whose symbols are those of the dataset."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """G genes that some cell has, in N cells."""

    expression: sp.csr_matrix
    """(N, G) log1p expression of all cells."""
    genes: tuple[str, ...]
    columns: NDArray[np.int64]
    """Where the genes stand in the dataset."""
    rows: NDArray[np.int64]
    """Cells in which links are looked for, ascending."""
    regulators: tuple[int, ...]
    """Columns of the R regulators."""
    targets: tuple[int, ...]
    """Columns of the T targets, regulators among them."""
    prior: Prior | None
    """Known links that a file names, among the genes."""
    truth: Prior | None
    """The network of a simulated screen."""
    notes: tuple[str, ...]
    """What to know of the expression."""

    @property
    def regulator_names(self) -> tuple[str, ...]:
        """Symbols of the regulators."""
        return tuple(self.genes[i] for i in self.regulators)

    @property
    def target_names(self) -> tuple[str, ...]:
        """Symbols of the targets."""
        return tuple(self.genes[i] for i in self.targets)

    @property
    def known(self) -> Prior | None:
        """What links are judged by: the true network, else the table."""
        return self.truth if self.truth is not None else self.prior

    @property
    def sampled(self) -> sp.csc_matrix:
        """Expression of the n cells in which links are looked for, (n, G)."""
        return sp.csc_matrix(self.expression[self.rows])


def gather(request: Request, context: Context) -> Inputs:
    """Read what is needed.

    Raises
    ------
    RequestError
        If too few regulators are measured.
    """
    listed = read_regulators(Path(request.regulators)) if request.regulators else ()
    adata = context.counts(request.dataset)
    depth = depth_of(adata)
    expression = log_expression(sp.csr_matrix(adata.X), depth)
    names = identifiers(adata.var).names
    seen = np.flatnonzero(np.asarray(expression.sum(axis=0)).ravel() > 0)
    seen = np.array(list({names[i]: i for i in reversed(seen.tolist())}.values()), dtype=np.int64)
    seen.sort()  # the first column of each symbol
    expression, genes = sp.csr_matrix(expression[:, seen]), tuple(names[i] for i in seen)
    prior = read_prior(Path(request.prior)) if request.prior else None
    truth = _truth(context.workspace.dataset_folder(request.dataset))
    species = context.workspace.dataset(request.dataset).species
    wanted = _wanted(listed, prior if prior is not None else truth, species)
    regulators = _regulators(wanted, genes)
    rows = np.arange(len(expression.indptr) - 1)
    if len(rows) > request.most_cells:
        rng = np.random.default_rng(request.seed)
        rows = np.sort(rng.choice(rows, request.most_cells, replace=False))
    targets = np.union1d(variable_genes(expression, request.most_genes), regulators)
    return Inputs(
        expression=expression,
        genes=genes,
        columns=seen,
        rows=rows,
        regulators=tuple(regulators),
        targets=tuple(targets.tolist()),
        prior=prior.among(genes) if prior is not None else None,
        truth=truth.among(genes) if truth is not None else None,
        notes=(*depth.notes, *_notes(request, wanted, genes, prior=prior)),
    )


def _wanted(listed: tuple[str, ...], known: Prior | None, species: str) -> tuple[str, ...]:
    """Name the regulators that are asked for: those of a list, else of known links, else those that scviz ships."""
    if not listed and known is None:
        return read_regulators(shipped_regulators(species))
    return listed or tuple(known.targets if known is not None else ())


def _regulators(wanted: tuple[str, ...], genes: tuple[str, ...]) -> list[int]:
    place = {gene: i for i, gene in enumerate(genes)}
    found = sorted({place[gene] for gene in matched(wanted, genes).genes.values()})
    if len(found) < FEWEST_REGULATORS:
        raise RequestError(
            f"Only {len(found)} of {len(wanted):,} regulators are measured in these cells, such as "
            f"{', '.join(wanted[:3])}.",
            hint=HOW_TO_NAME,
        )
    return found


def _notes(
    request: Request, wanted: tuple[str, ...], genes: tuple[str, ...], *, prior: Prior | None
) -> tuple[str, ...]:
    """Say what of the files could not be read, and which names were written in another way."""
    lines = regulators_left_out(Path(request.regulators)) if request.regulators else ()
    return (*lines, *(prior.notes if prior is not None else ()), *matched(wanted, genes).notes)


def _truth(folder: Path) -> Prior | None:
    """Read the network behind a simulated screen; None for other cells."""
    try:
        truth = truth_of(folder)
    except DataError:
        return None
    links = zip(truth.source, truth.target, strict=True)
    return prior_of("the network behind the simulated cells", links)
