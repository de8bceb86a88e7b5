"""Counts of one or several samples as one dataset: a shared list of genes, names of cells made unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scviz.datasets.arriving.contract import Arrival, Incoming
from scviz.datasets.arriving.rows import Rows, at_genes, one_below_another
from scviz.metrics.evidence import counted

SAMPLE = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Counts of one sample, ready to be read."""

    name: str
    arrival: Arrival
    cells: pd.DataFrame
    """(N, ...) what is known of each cell, by name."""
    genes: pd.DataFrame
    """(G, ...) what is known of each gene, by name."""
    matrices: Mapping[str, Rows]
    """By location, `X` or `layers/<name>`."""


def joined(samples: Sequence[Sample]) -> Incoming:
    """Return samples as one dataset, with a column `sample` if there are several.

    Genes are those of all samples, a gene that a sample lacks has no counts in it. Names of cells that occur in
    several samples get the name of the sample in front.
    """
    if len(samples) == 1:
        (only,) = samples
        matrices = {name: one_below_another([rows]) for name, rows in only.matrices.items()}
        return Incoming(arrival=only.arrival, matrices=matrices, cells=only.cells, genes=only.genes)
    genes, places, gene_notes = _all_genes(samples)
    cells, cell_notes = _all_cells(samples)
    common, lost = _common(samples)
    matrices = {}
    for name in common:
        parts = [one.matrices[name] for one in samples]
        moved = [at_genes(rows, at, len(genes)) for rows, at in zip(parts, places, strict=True)]
        matrices[name] = one_below_another(moved)
    notes = [f"{len(samples)} samples were put together: {_listed([one.name for one in samples])}."]
    notes += [*gene_notes, *cell_notes]
    if lost:
        notes.append(f"{_listed(lost)} was left out, since some samples do not have it.")
    return Incoming(arrival=_arrival(samples, notes), matrices=matrices, cells=cells, genes=genes)


def _common(samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """Name the matrices that all samples have, and those that only some have."""
    common = [name for name in samples[0].matrices if all(name in one.matrices for one in samples)]
    return common, sorted({name for one in samples for name in one.matrices} - set(common))


def _arrival(samples: Sequence[Sample], notes: Sequence[str]) -> Arrival:
    first = samples[0].arrival
    formats = list(dict.fromkeys(one.arrival.format for one in samples))
    own = [f"{one.name}: {note}" for one in samples for note in one.arrival.notes]
    parts = tuple(dict.fromkeys(part for one in samples for part in one.arrival.parts))
    return Arrival(
        format=f"{counted(len(samples), 'sample')}, each {' or '.join(formats)}",
        parts=parts,
        turned=first.turned,
        notes=(*notes, *own),
    )


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _all_genes(samples: Sequence[Sample]) -> tuple[pd.DataFrame, list[NDArray[np.intp]], list[str]]:
    """Return the genes of all samples, where those of each lie among them, and what is to be said of that."""
    first = samples[0].genes
    if all(one.genes.index.equals(first.index) for one in samples):
        return first, [np.arange(len(first), dtype=np.intp)] * len(samples), []
    keyed = [_keyed(one.genes) for one in samples]
    union = keyed[0]
    for table in keyed[1:]:
        union = union.combine_first(table).reindex(
            union.index.append(table.index.difference(union.index, sort=False))
        )
    places = [union.index.get_indexer(table.index) for table in keyed]
    shared = keyed[0].index
    for table in keyed[1:]:
        shared = shared.intersection(table.index)
    fewest, most = min(map(len, keyed)), max(map(len, keyed))
    note = (
        f"The samples do not name the same genes ({fewest:,} to {most:,} each, {len(shared):,} in all of them): "
        f"all {len(union):,} were kept, and a gene that a sample does not name has 0 counts there."
    )
    genes = union.set_axis(union.index.get_level_values(0), axis=0)
    genes.index.name = None
    return genes[list(dict.fromkeys(name for one in samples for name in one.genes.columns))], places, [note]


def _keyed(genes: pd.DataFrame) -> pd.DataFrame:
    """Name genes by name and occurrence, so that names that are there twice stay two genes."""
    again = genes.groupby(level=0, sort=False).cumcount().to_numpy()
    return genes.set_axis(pd.MultiIndex.from_arrays([genes.index, again]), axis=0)


def _all_cells(samples: Sequence[Sample]) -> tuple[pd.DataFrame, list[str]]:
    tables = [one.cells.copy(deep=False) for one in samples]
    notes = []
    if any(SAMPLE in table.columns for table in tables):
        tables = [table.rename(columns={SAMPLE: f"{SAMPLE}_in_file"}) for table in tables]
        notes.append(f"The column {SAMPLE!r} of the files is called '{SAMPLE}_in_file'.")
    cells = pd.concat(tables)
    names = np.repeat([one.name for one in samples], [len(table) for table in tables])
    cells.insert(0, SAMPLE, pd.Categorical(names, categories=[one.name for one in samples]))
    if not cells.index.is_unique:
        cells.index = pd.Index(names.astype(object) + "_" + cells.index.astype(object), dtype=object)
        notes.append("Samples share names of cells, so the name of the sample was put in front of each.")
    return cells, notes
