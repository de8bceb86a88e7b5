"""HDF5 files of 10x Genomics Cell Ranger, versions 2 and 3, and of CellBender, which look alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.joining import Sample, joined
from scviz.datasets.arriving.rows import Rows, some_genes
from scviz.datasets.safety import inspect_h5
from scviz.errors import UnreadableFileError
from scviz.progress import Progress, Report

GENE_EXPRESSION = "Gene Expression"
COLUMNS = {"name": "gene_symbols", "feature_type": "feature_types"}
"""What columns of features are called here; others keep their names."""
AGAIN = "Copy or download it again, and compare its size with the original."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the parts of a matrix lie in the file, and what it is."""

    group: str
    format: str
    genes: pd.DataFrame
    cells: pd.DataFrame
    starts: NDArray[np.int64]
    """(N + 1,) where the values of each cell begin."""
    note: str


def read_10x(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read an HDF5 file of Cell Ranger or CellBender: the genome with the most counts, or the one that is chosen.

    Parameters
    ----------
    path
        A file that its user may open.
    choices
        Which genome is taken.
    limit
        Bytes that it may unpack to.
    report
        Told how far it is, in cells.

    Raises
    ------
    UnreadableFileError
        If a part is missing, damaged or does not go with the others.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    return joined([sample_of_h5(path, choices, limit=limit, report=report)])


def sample_of_h5(path: Path, choices: Choices, *, limit: int, report: Report) -> Sample:
    """Read the names of such a file, and how its counts are to be read.

    Parameters
    ----------
    path
        A file that its user may open.
    choices
        Which genome is taken.
    limit
        Bytes that it may unpack to.
    report
        Told that it is being looked through.

    Raises
    ------
    UnreadableFileError
        If a part is missing, damaged or does not go with the others.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    inspect_h5(path, limit)
    with _damage(path.name), h5py.File(path, "r") as file:
        sizes = {name: node["data"].size for name, node in file.items() if _is_matrix(node)}
        if not sizes:
            raise UnreadableFileError(
                f"{path.name} has no group with barcodes, data, indices and indptr.", hint=AGAIN
            )
        groups = sorted(sizes, key=lambda name: -sizes[name])
        group = choices.part if choices.part in groups else groups[0]
        layout = _layout(file, group)
        rows = Rows(
            sizes=np.diff(layout.starts),
            n_genes=len(layout.genes),
            kind=file[group]["data"].dtype.newbyteorder("="),
            read=_reader(path, layout),
        )
        notes = [layout.note] if layout.note else []
        if len(groups) > 1:
            parts = (group, *(name for name in groups if name != group))
            counted = ", ".join(f"{name} {sizes[name]:,}" for name in parts)
            notes.append(f"The file holds several genomes (values: {counted}); {group} was taken.")
            return _sample(layout, rows, parts=parts, notes=notes)
    return _one_genome(layout, rows, choices, notes=notes, report=report)


def _sample(layout: _Layout, rows: Rows, *, parts: tuple[str, ...], notes: list[str]) -> Sample:
    arrival = Arrival(format=layout.format, parts=parts, notes=tuple(notes))
    return Sample(name="", arrival=arrival, cells=layout.cells, genes=layout.genes, matrices={"X": rows})


def _one_genome(layout: _Layout, rows: Rows, choices: Choices, *, notes: list[str], report: Report) -> Sample:
    """Take the genes of one genome where a version 3 file holds several; features that are no genes stay."""
    genomes = layout.genes.get("genome")
    if genomes is None:
        return _sample(layout, rows, parts=(), notes=notes)
    kinds = layout.genes.get("feature_types", pd.Series(GENE_EXPRESSION, index=layout.genes.index))
    of_gene = np.where(kinds.to_numpy() == GENE_EXPRESSION, genomes.to_numpy(dtype=object), "")
    names, codes = np.unique(of_gene.astype(str), return_inverse=True)
    several = [name for name in names if name]
    if len(several) < 2:
        return _sample(layout, rows, parts=(), notes=notes)
    totals = np.zeros(len(names))
    done = 0
    for block in rows.blocks():
        totals += np.bincount(codes[block.indices], weights=block.data, minlength=len(names))
        done += block.shape[0]
        report(Progress(stage="Counting genomes", done=done, total=len(rows.sizes)))
    counted = dict(zip(names, totals, strict=True))
    several.sort(key=lambda name: -counted[name])
    taken = choices.part if choices.part in several else several[0]
    kept = np.flatnonzero((of_gene == taken) | (of_gene == ""))
    listed = ", ".join(f"{name} {int(counted[name]):,}" for name in several)
    notes.append(
        f"The file holds several genomes (counts: {listed}); {taken} was taken, and "
        f"{len(layout.genes) - len(kept):,} genes of the others left out."
    )
    parts = (taken, *(name for name in several if name != taken))
    arrival = Arrival(format=layout.format, parts=parts, notes=tuple(notes))
    return Sample(
        name="",
        arrival=arrival,
        cells=layout.cells,
        genes=layout.genes.iloc[kept],
        matrices={"X": some_genes(rows, kept)},
    )


def _is_matrix(node: object) -> bool:
    return isinstance(node, h5py.Group) and {"barcodes", "data", "indices", "indptr"} <= set(node)


def _layout(file: h5py.File, group: str) -> _Layout:
    node = file[group]
    third = isinstance(node.get("features"), h5py.Group)
    cells = pd.DataFrame(index=pd.Index(_texts(node["barcodes"]), dtype=object))
    starts = node["indptr"][:].astype(np.int64)
    genes = _features(node["features"]) if third else _genes(node)
    n_values = min(node["data"].size, node["indices"].size)
    if (
        len(starts) != len(cells) + 1
        or starts[0] != 0
        or (np.diff(starts) < 0).any()
        or starts[-1] > n_values
    ):
        raise UnreadableFileError(
            f"The counts of {Path(file.filename).name} do not go with its {len(cells):,} cells: "
            f"{len(starts) - 1:,} of them begin somewhere, and {n_values:,} values are there.",
            hint=AGAIN,
        )
    note = ""
    names = {*file, *node, *file.attrs}
    if names & {"droplet_latents", "global_latents", "latent_cell_probability", "latent_gene_encoding"}:
        note = "CellBender has taken counts of ambient RNA out."
        cells = _with_probability(file, node, cells)
        return _Layout(
            group=group,
            format="counts of CellBender (HDF5)",
            genes=genes,
            cells=cells,
            starts=starts,
            note=note,
        )
    version = 3 if third else 2
    return _Layout(
        group=group,
        format=f"counts of 10x Genomics Cell Ranger {version} (HDF5)",
        genes=genes,
        cells=cells,
        starts=starts,
        note=note,
    )


def _with_probability(file: h5py.File, node: h5py.Group, cells: pd.DataFrame) -> pd.DataFrame:
    """Add the probability that a droplet holds a cell, which is kept for those that CellBender analyzed."""
    latents = file.get("droplet_latents", node)
    values = latents.get("cell_probability", latents.get("latent_cell_probability"))
    at = latents.get("barcode_indices_for_latents")
    if not isinstance(values, h5py.Dataset):
        return cells
    places = np.arange(len(cells)) if at is None else at[:].astype(np.int64)
    if len(places) != values.size or not ((places >= 0) & (places < len(cells))).all():
        return cells
    probability = np.full(len(cells), np.nan)
    probability[places] = values[:].ravel()
    return cells.assign(cell_probability=probability)


def _features(node: h5py.Group) -> pd.DataFrame:
    """Read the features of version 3: names in the index, and all columns that are as long as they."""
    names = _texts(node["id"] if "id" in node else node["name"])
    genes = pd.DataFrame(index=pd.Index(names, dtype=object))
    for key, item in node.items():
        if (
            key in ("id", "_all_tag_keys")
            or not isinstance(item, h5py.Dataset)
            or item.shape != (len(names),)
        ):
            continue
        values = _texts(item) if item.dtype.kind in "SOU" else item[:]
        if key != "name" or (values != names).any():
            genes[COLUMNS.get(key, key)] = values
    return genes


def _genes(node: h5py.Group) -> pd.DataFrame:
    """Read the genes of version 2."""
    if "genes" not in node:
        raise UnreadableFileError("The file has counts, but no names of genes.", hint=AGAIN)
    names = _texts(node["genes"])
    genes = pd.DataFrame(index=pd.Index(names, dtype=object))
    if "gene_names" in node:
        symbols = _texts(node["gene_names"])
        if len(symbols) == len(names) and (symbols != names).any():
            genes["gene_symbols"] = symbols
    return genes


def _texts(node: h5py.Dataset) -> NDArray[np.object_]:
    values = node[:].ravel()
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
    return np.array(texts, dtype=object)


def _reader(path: Path, layout: _Layout) -> Any:
    """Return what reads a range of cells; genes of a cell are put in order, and those named twice added up."""

    def read(start: int, stop: int) -> csr_matrix:
        first, last = int(layout.starts[start]), int(layout.starts[stop])
        shape = (stop - start, len(layout.genes))
        with _damage(path.name), h5py.File(path, "r") as file:
            node = file[layout.group]
            values = node["data"][first:last]
            genes = node["indices"][first:last]
        if len(genes) and not (genes.min() >= 0 and genes.max() < shape[1]):
            raise UnreadableFileError(
                f"{path.name} holds counts of gene {int(genes.max()) + 1:,}, but names {shape[1]:,}.",
                hint=AGAIN,
            )
        starts = layout.starts[start : stop + 1] - first
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        block = csr_matrix((values, genes.astype(np.int32), starts), shape=shape)
        block.sum_duplicates()
        return block

    return read


@contextmanager
def _damage(name: str) -> Iterator[None]:
    """Turn what the HDF5 library says of a damaged file into a sentence."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise UnreadableFileError(f"A part of {name} cannot be read: {error}.", hint=AGAIN) from error
