"""What is known of a request before anything is read: other species, no shared genes, labels that teach nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import cell_column, gene_identifiers
from scviz.datasets.enough_cells import large_labels
from scviz.datasets.gene_kinds import kinds_of_genes
from scviz.datasets.gene_matching import match_list
from scviz.datasets.genes import GeneIdentifiers
from scviz.datasets.labels import labels_of
from scviz.datasets.species import species_of_ids, species_of_symbols
from scviz.datasets.split import split_cells
from scviz.datasets.tables import as_names
from scviz.errors import DataError, GeneMatchError, RequestError
from scviz.metrics.evidence import counted
from scviz.tasks.transfer import Request
from scviz.tasks.transfer.references import find_reference
from scviz.workspace import DatasetInfo, Workspace

FEWEST_SHARED = 50
FEWEST_CELLS = 5
"""Types with fewer labeled cells can be neither learned nor tested."""


def refuse(request: Request, workspace: Workspace) -> None:
    """Refuse what a run would refuse, too, from what is known of dataset and reference.

    Raises
    ------
    DataError
        If the two are of different species, or the reference cannot be read.
    GeneMatchError
        If next to none of its genes is in the dataset.
    MissingColumnError, RequestError
        If a labeled dataset lacks a column, or its labels cannot be learned from.
    """
    query, folder = workspace.dataset(request.dataset), workspace.dataset_folder(request.dataset)
    kept = find_reference(workspace, request.reference)
    if kept is not None:
        refuse_species(kept.reference.name, _species_of(kept.reference.genes), query)
        refuse_few(_n_shared(folder, kept.reference.genes), query.n_genes)
        return
    reference = workspace.dataset(request.reference)
    refuse_species(reference.name, reference.species, query)
    _refuse_labels(request, workspace.dataset_folder(reference.id))
    listed = listed_genes(gene_identifiers(workspace.dataset_folder(reference.id))).found_by
    refuse_few(_n_shared(folder, listed), query.n_genes)


def refuse_species(name: str, species: str, query: DatasetInfo) -> None:
    """Refuse to name cells of one species by those of another; nothing is refused where one of them is not known.

    Raises
    ------
    DataError
        If one is human, the other mouse.
    """
    if {species, query.species} == {"human", "mouse"}:
        raise DataError(
            f"{name} is {species}, and {query.name} is {query.species}.",
            hint=f"Open a labeled {query.species} dataset and choose it as reference, or make a dataset with human "
            "counterparts of the mouse genes: on the Data page, or with `python -m scviz mend`.",
        )


def refuse_few(n_shared: int, n_query: int) -> None:
    """Refuse where next to no gene is shared.

    Raises
    ------
    GeneMatchError
        With how many are.
    """
    if n_shared < FEWEST_SHARED:
        raise GeneMatchError(
            f"The dataset and the reference share {counted(n_shared, 'gene')}, of {n_query:,} in the dataset; "
            f"{FEWEST_SHARED} or more are needed to name cells.",
            hint="Open a file with more genes, or a reference of the same species; the Data page shows their names.",
        )


def refuse_no_labels(label_key: str) -> None:
    """Refuse a dataset as reference of which no column with types is named.

    Raises
    ------
    RequestError
        If the name is empty.
    """
    if not label_key:
        raise RequestError(
            "No column with cell types of the reference was chosen.",
            hint="Choose the column with its labels (on the command line --label-key).",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The S genes of a reference that count."""

    places: NDArray[np.int64]
    """(S,) places among all genes."""
    names: tuple[str, ...]
    found_by: tuple[str, ...]
    """What the genes of other datasets are matched with."""


def listed_genes(ids: GeneIdentifiers) -> Listed:
    """Leave out genes of ribosomes and mitochondria, which differ between preparations more than between types."""
    places = [at for at, kind in enumerate(kinds_of_genes(ids)) if kind == "gene"]
    all_names, ensembl = ids.names, None if ids.has("symbol") else ids.ensembl
    names = tuple(all_names[at] for at in places)
    found_by = names if ensembl is None else tuple(ensembl[at] for at in places)
    return Listed(places=np.array(places, dtype=np.int64), names=names, found_by=found_by)


@lru_cache(maxsize=16)
def _n_shared(folder: Path, genes: tuple[str, ...]) -> int:
    return int((match_list(gene_identifiers(folder), genes).places >= 0).sum())


@lru_cache(maxsize=16)
def _species_of(genes: tuple[str, ...]) -> str:
    of_ids = sum(gene.startswith("ENS") for gene in genes) > len(genes) / 2
    return (species_of_ids(genes) if of_ids else species_of_symbols(genes)).species


def _refuse_labels(request: Request, folder: Path) -> None:
    refuse_no_labels(request.label_key)
    column = cell_column(folder, request.label_key)
    groups = cell_column(folder, request.group_key) if request.group_key else None
    texts = labels_of(as_names(column)).texts
    large = large_labels(
        texts, column=f"The column {request.label_key!r} of the reference", fewest=FEWEST_CELLS
    )
    split_cells(
        np.where(np.isin(texts, large.names), texts, ""),
        groups=labels_of(as_names(groups)).texts if groups else None,
        test_fraction=request.test_fraction,
        validation_fraction=0.0,
        seed=request.seed,
    )
