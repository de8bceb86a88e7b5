"""Matrix Market: a folder of one or several samples, or one matrix whose names lie beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from scviz.datasets.arriving.contract import Arrival, Choices, Incoming
from scviz.datasets.arriving.families import FEATURES, CountsOfSample, MatrixFiles, counts_at, counts_in
from scviz.datasets.arriving.joining import Sample, joined
from scviz.datasets.arriving.market import read_header, read_market
from scviz.datasets.arriving.matrix_lists import WANTED, lists_of
from scviz.datasets.arriving.rows import Rows, at_cells, some_genes, summed
from scviz.datasets.arriving.tenx import sample_of_h5
from scviz.errors import UnreadableFileError
from scviz.progress import Report

USA = ("spliced", "unspliced", "ambiguous")
"""In which order alevin-fry writes three columns for each gene."""


def read_folder(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read all counts in a folder: one dataset of one or several samples.

    Parameters
    ----------
    path
        A folder that its user may open.
    choices
        Which version of several is taken ("filtered", "raw"), and whether rows of a square matrix are genes.
    limit
        Bytes that each file may unpack to.
    report
        Told how far it is, in cells.

    Raises
    ------
    UnreadableFileError
        If names are missing, a file is damaged, or there are no counts.
    UnsafeFileError
        If a file unpacks to too much or leads outside the folder.
    """
    found = counts_in(path)
    if not found:
        raise UnreadableFileError(f"{path.name} holds no counts that can be read.", hint=WANTED)
    chosen, parts = _choose(found, choices)
    samples = [_read(one, choices, limit=limit, report=report) for one in chosen]
    notes = () if len(parts) < 2 else (f"Of {', '.join(parts)}, {chosen[0].part or 'the first'} was taken.",)
    named = [replace(one, name=name) for one, name in zip(samples, _sample_names(chosen), strict=True)]
    incoming = joined(named)
    arrival = incoming.arrival
    arrival = replace(arrival, parts=tuple(parts) or arrival.parts, notes=(*notes, *arrival.notes))
    return replace(incoming, arrival=arrival)


def read_matrix(path: Path, choices: Choices, *, limit: int, report: Report) -> Incoming:
    """Read one Matrix Market file whose lists of names lie beside it.

    Parameters
    ----------
    path
        A Matrix Market file that its user may open.
    choices
        Whether rows of a square matrix are genes.
    limit
        Bytes that each file may unpack to.
    report
        Told how far it is, in cells.

    Raises
    ------
    UnreadableFileError
        If names are missing or the file is damaged.
    UnsafeFileError
        If a file unpacks to too much.
    """
    return joined([_read(counts_at(path), choices, limit=limit, report=report)])


def _choose(found: Sequence[CountsOfSample], choices: Choices) -> tuple[list[CountsOfSample], list[str]]:
    """Take one version of the counts of each sample; return them, and all versions, the one taken first."""
    parts = list(dict.fromkeys(one.part for one in found))
    wanted = [one for one in found if one.part == choices.part]
    chosen = wanted if choices.part in parts else _first_of_each(found)
    taken = [one.part for one in chosen]
    parts = list(dict.fromkeys([*taken, *parts]))
    return chosen, parts if len(parts) > 1 else []


def _first_of_each(found: Sequence[CountsOfSample]) -> list[CountsOfSample]:
    """Take the version of the counts of each sample that comes first."""
    best: dict[str, CountsOfSample] = {}
    for one in sorted(found, key=_rank):
        best.setdefault(one.sample, one)
    return [best[name] for name in dict.fromkeys(one.sample for one in found)]


def _rank(one: CountsOfSample) -> tuple[int, bool, bool, int]:
    """Put counts of genes before other features, filtered before raw, plain names first, large before small."""
    words = one.part.split()
    feature = max([FEATURES.index(word) for word in words if word in FEATURES], default=0)
    size = read_header(one.path).n_values if one.h5 is None and len(words) > 1 else 0
    return feature, "raw" in words, not one.path.name.lower().startswith("matrix."), -size


def _sample_names(chosen: Sequence[CountsOfSample]) -> list[str]:
    """Name the samples by what differs in the names of their folders and files."""
    steps = [one.sample.split("/") for one in chosen]
    shared = _n_shared(steps) if len(steps) > 1 else 0
    names = ["_".join(dict.fromkeys(step[shared:])) or "sample" for step in steps]
    return names if len(set(names)) == len(names) else [f"{name}_{i + 1}" for i, name in enumerate(names)]


def _n_shared(steps: Sequence[Sequence[str]]) -> int:
    """Count the folders in which all samples lie."""
    n = 0
    while min(map(len, steps)) > n + 1 and len({step[n] for step in steps}) == 1:
        n += 1
    return n


def _read(one: CountsOfSample, choices: Choices, *, limit: int, report: Report) -> Sample:
    if one.h5:
        return sample_of_h5(one.h5, choices, limit=limit, report=report)
    read = {
        name: _read_matrix(files, choices, limit=limit, report=report) for name, files in one.matrices.items()
    }
    whole = read.get("X") or next(iter(read.values()))
    return whole if len(read) == 1 else _layered(read, whole)


def _layered(read: Mapping[str, Sample], whole: Sample) -> Sample:
    """Put matrices of the same counts together: their sum, unless it is among them, and each part as a layer."""
    cells = whole.cells
    if "X" not in read:
        names = (name for sample in read.values() for name in sample.cells.index)
        cells = cells.reindex(pd.Index(dict.fromkeys(names)))
    layers, unlike = _layers(read, cells.index, whole.genes.index)
    notes = [note for sample in read.values() for note in sample.arrival.notes] + unlike
    if "X" not in read:
        notes.append(f"X is the sum of {' and '.join(layers)}, which are kept as layers.")
    matrices = {"X": layers.pop("X", None) or summed(list(layers.values()))}
    matrices.update({f"layers/{name}": rows for name, rows in layers.items()})
    arrival = replace(whole.arrival, notes=tuple(dict.fromkeys(notes)))
    return replace(whole, arrival=arrival, cells=cells, matrices=matrices)


def _layers(
    read: Mapping[str, Sample], cells: pd.Index[str], genes: pd.Index[str]
) -> tuple[dict[str, Rows], list[str]]:
    """Bring matrices into the same order of cells; leave out those of other genes."""
    layers: dict[str, Rows] = {}
    notes = []
    for name, sample in read.items():
        if not sample.genes.index.equals(genes):
            notes.append(f"{name} was left out, since its genes are not those of the counts.")
            continue
        places = sample.cells.index.get_indexer(cells) if sample.cells.index.is_unique else None
        if places is None and not sample.cells.index.equals(cells):
            notes.append(f"{name} was left out, since its names of cells are there twice.")
            continue
        rows = sample.matrices["X"]
        layers[name] = rows if places is None else at_cells(rows, places)
        n_missing = 0 if places is None else int((places < 0).sum())
        if n_missing:
            notes.append(f"{n_missing:,} cells are not in {name}: their values are 0 there.")
    return layers, notes


def _read_matrix(files: MatrixFiles, choices: Choices, *, limit: int, report: Report) -> Sample:
    header = read_header(files.matrix)
    lists = lists_of(files, header, turned=choices.turned, limit=limit)
    market = read_market(files.matrix, header, genes_in_rows=lists.genes_in_rows, limit=limit, report=report)
    matrices = _usa_layers(market.rows, len(lists.genes)) if lists.usa else {"X": market.rows}
    notes = [*lists.notes, *market.notes]
    if lists.usa:
        notes.append(
            "alevin-fry counted spliced, unspliced and ambiguous molecules apart: X is their sum, "
            "and each is a layer."
        )
    arrival = Arrival(
        format=_format(files),
        turned=None if lists.certain else lists.genes_in_rows,
        notes=tuple(notes),
    )
    return Sample(name="", arrival=arrival, cells=lists.cells, genes=lists.genes, matrices=matrices)


def _format(files: MatrixFiles) -> str:
    """Say what the files are, by their names."""
    matrix, genes = files.matrix.name.lower(), files.genes.name.lower() if files.genes else ""
    if "quants_mat" in matrix:
        return "counts of alevin (Matrix Market)"
    if "cells_x_genes" in matrix or "spliced" in matrix:
        return "counts of kallisto | bustools or STARsolo (Matrix Market)"
    if "all_genes" in genes or "dge" in matrix:
        return "counts of Parse Biosciences (Matrix Market)"
    if "features" in genes:
        return "a Matrix Market folder as Cell Ranger 3 writes it"
    return (
        "a Matrix Market folder as Cell Ranger 2 writes it"
        if "genes.tsv" in genes
        else "a Matrix Market file"
    )


def _usa_layers(rows: Rows, n: int) -> dict[str, Rows]:
    layers = {name: some_genes(rows, slice(i * n, (i + 1) * n)) for i, name in enumerate(USA)}
    return {"X": summed(list(layers.values())), **{f"layers/{name}": part for name, part in layers.items()}}
