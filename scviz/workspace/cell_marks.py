"""Marks of cells: numbers by which cells are known again in another file, and that tell nothing of them.

Genes are dealt into four hands by their names. For each hand, a cell has a mark: a hash of the genes of that hand that
were counted twice or more, with their counts. It is the same whatever the cell and the file are called, and in whatever
order cells and genes stand; a hand without the genes that a file left out keeps its mark. Cells are not known again
where counts were corrected or down-sampled, or where most genes are gone. One mark in eight is kept, those that can be
divided by eight, so that of two files the same ones are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from scviz.settings import ROOT
from scviz.workspace.names import content_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MARKS = "cell_marks.npy"
"""In the folder of a dataset."""
SHIPPED = ROOT / "assets" / "cell_marks"
"""Of the public cells that taught what comes with scviz, a file for each dataset, called by its content."""
HANDS = 4
FEWEST_GENES = 10
"""With fewer genes that were counted twice, a hand has no mark: that of another cell may be equal by chance."""
LEAST_COUNT = 2
KEPT_OF = 8
ENOUGH = 0.01
"""Share of marks that must be known for cells to be called seen."""
MANY = 0.1
"""Share from which on they decide what is said of all cells."""

Marks = NDArray[np.uint64]


def gene_keys(names: Iterable[str]) -> Marks:
    """Give a number for each gene, (G,), whatever the case of its name."""
    found = [int.from_bytes(blake2b(name.upper().encode(), digest_size=8).digest()) for name in names]
    return np.array(found, dtype=np.uint64)


def marks_of(counts: csr_matrix, keys: Marks) -> Marks:
    """Mark cells, (n, 4); 0 for hands with too few genes.

    Parameters
    ----------
    counts
        (n, G)
    keys
        (G,) of `gene_keys`.
    """
    rounded, indptr = np.rint(counts.data).astype(np.uint64), counts.indptr
    key = keys[counts.indices]
    each = _mixed(key + rounded * np.uint64(0x9E3779B97F4A7C15))
    hands = []
    for hand in range(HANDS):
        own = (rounded >= LEAST_COUNT) & (key % np.uint64(HANDS) == hand)
        sums = _by_cell(np.where(own, each, np.uint64(0)), indptr)
        enough = _by_cell(own.astype(np.uint64), indptr) >= FEWEST_GENES
        hands.append(np.where(enough, _mixed(sums + np.uint64(hand)), np.uint64(0)))
    return np.stack(hands, axis=1)


def _by_cell(values: Marks, indptr: NDArray[np.integer]) -> Marks:
    """Add the values of each cell, (n,), modulo 2**64: the order of genes does not matter."""
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(sums[indptr[1:]] - sums[indptr[:-1]], dtype=np.uint64)


def _mixed(values: Marks) -> Marks:
    """Spread numbers evenly over all that there are (the last steps of splitmix64)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def kept_marks(marks: Marks) -> Marks:
    """Keep one in eight of the marks of a dataset, each once, ascending."""
    return np.unique(marks[(marks != 0) & (marks % np.uint64(KEPT_OF) == 0)])


def write_marks(marks: Sequence[Marks], folder: Path) -> None:
    """Write what is kept of the marks of a dataset, (n, 4) for each block of its cells."""
    np.save(folder / MARKS, kept_marks(np.concatenate([np.zeros(0, dtype=np.uint64), *map(np.ravel, marks)])))


def read_marks(folder: Path) -> Marks:
    """Read the marks that are kept of a dataset; none for one that was opened before there were any."""
    path = folder / MARKS
    return np.load(path, allow_pickle=False) if path.is_file() else np.zeros(0, dtype=np.uint64)


def share_known(folder: Path, trained_on: Sequence[str], others: Marks | None = None) -> float:
    """Tell which share of the cells of a dataset is among those that taught something, or has one of other marks.

    Parameters
    ----------
    folder
        Of the dataset, beside which the others lie.
    trained_on
        Ids of datasets.
    """
    taught = [taught_marks(folder, trained_on), *([] if others is None else [others])]
    return share_taught(read_marks(folder), np.concatenate(taught))


def taught_marks(folder: Path, trained_on: Sequence[str]) -> Marks:
    """Gather the marks of the datasets that taught something, of those that are here or came with scviz.

    Parameters
    ----------
    folder
        Of a dataset, beside which the others lie.
    trained_on
        Ids of datasets.
    """
    found = [np.zeros(0, dtype=np.uint64)]
    for content in dict.fromkeys(content_of(one) for one in trained_on):
        found += [np.load(path, allow_pickle=False) for path in _files(folder.parent, content)]
    return np.concatenate(found)


def holds_taught(folder: Path, trained_on: Sequence[str]) -> bool:
    """Tell whether enough cells of the dataset in a folder are among those of the datasets that taught something."""
    return share_taught(read_marks(folder), taught_marks(folder, trained_on)) >= ENOUGH


def _files(datasets: Path, content: str) -> Iterator[Path]:
    shipped = SHIPPED / f"{content}.npy"
    if shipped.is_file():
        yield shipped
        return
    yield from sorted(datasets.glob(f"*-{content}/{MARKS}"))[:1]


def share_taught(own: Marks, taught: Marks) -> float:
    """Estimate the share of cells that are among those that taught, by the marks that are kept; 0 without marks.

    It is too low where files do not have the same genes.
    """
    return float(np.isin(own, taught).mean()) if len(own) and len(taught) else 0.0
