"""Open a file: make its counts, names and columns fit to work with, and keep them in the workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.arriving import contract
from scviz.datasets.arriving.readers import arrive
from scviz.datasets.choices import Opening
from scviz.datasets.cleaning import cell_table, embedding_tables, gene_table, names_of_today
from scviz.datasets.columns import COUNTS, SOURCE
from scviz.datasets.converting import Conversion
from scviz.datasets.counts import scale_of
from scviz.datasets.doctor import check_file
from scviz.datasets.expression import depth_from
from scviz.datasets.features import Features, features_of, kinds_column
from scviz.datasets.formats import damage_in_words
from scviz.datasets.keeping import Cells, info_of, place, write_cells
from scviz.datasets.reports import FileReport, MatrixReport
from scviz.datasets.rows import Rows
from scviz.datasets.safety import UNPACK_LIMIT, inspect_h5
from scviz.datasets.simulated import preset_of
from scviz.datasets.streaming import matrix_blocks
from scviz.errors import CountsError, DataError
from scviz.progress import Progress, Report, silent
from scviz.workspace import DatasetInfo, Workspace
from scviz.workspace.names import slug
from scviz.workspace.records import content_hash, fingerprint
from scviz.workspace.store import write_info

LAYOUT = 3
"""Raised when what is kept of a dataset changes, so that files are opened anew."""


def read_counts(folder: Path) -> AnnData:
    """Read an opened dataset: raw counts (N, G) as CSR float32, with `obs`, `var` and `obsm`."""
    return anndata.read_h5ad(folder / COUNTS)


def open_file(
    path: Path,
    workspace: Workspace,
    *,
    name: str = "",
    choices: Opening | None = None,
    report: Report = silent,
    demo: bool = False,
    notes: tuple[str, ...] = (),
    limit: int = UNPACK_LIMIT,
) -> DatasetInfo:
    """Open a file and keep it in the workspace; the same file with the same choices is opened once.

    Parameters
    ----------
    path
        A file or folder that its user may open.
    workspace
        Where it is kept.
    name
        What the dataset is called; empty takes the name of the file.
    choices
        Where the file leaves a doubt; None takes what its card names.
    report
        Told how far it is.
    demo
        Whether this is the dataset that comes with the project.
    notes
        Sentences to begin the history with.
    limit
        Bytes that the file may unpack to.

    Raises
    ------
    UnreadableFileError, UnsafeFileError
        If the file cannot or must not be read.
    CountsError
        If there are no raw counts and none can be recovered.
    """
    name, choices = name or path.stem, choices or Opening()
    report(Progress(stage="Checking the file"))
    content = content_hash(path)
    wanted = contract.Choices(turned=choices.turned, part=choices.part)
    arrived = arrive(path, workspace.arrived, wanted, content=lambda: content, limit=limit, report=report)
    if arrived.arrival is not None:
        notes = (f"Read from {arrived.arrival.format}.", *notes, *arrived.arrival.notes)
        choices = replace(choices, turned=arrived.arrival.left_to_turn(choices.turned))
    counted = arrived.arrival is not None and arrived.arrival.counted
    card = check_file(arrived.path, limit=limit, turned=choices.turned, counted=counted)
    matrix = _choose(card, choices)
    settled = replace(choices, counts_location=matrix.location, turned=card.turned)
    key = fingerprint(content, asdict(settled), demo, LAYOUT)
    folder = workspace.dataset_folder(workspace.own_name(slug(name), key))
    if (folder / "info.json").exists():
        return workspace.dataset(folder.name)
    with place(folder) as draft:
        source = draft / SOURCE
        if arrived.arrival is None:
            _take(path, source, content, own=path.is_relative_to(workspace.home))
        else:
            arrived.path.replace(source)
        inspect_h5(source, limit)
        with damage_in_words(path.name):
            info = _opened(source, card, matrix, choices=choices, report=report)
        history = (*notes, *info.history)
        info = replace(info, id=folder.name, name=name, source=path.name, demo=demo, history=history)
        workspace.claim(draft)
        write_info(replace(info, simulated=preset_of(source)), draft)
    if arrived.arrival is not None:
        shutil.rmtree(arrived.path.parent, ignore_errors=True)
    return workspace.dataset(folder.name)


def _take(path: Path, target: Path, content: str, *, own: bool) -> None:
    """Copy the file, so that what was checked is what is read; one of the workspace has a second name, and no copy.

    Raises
    ------
    DataError
        If it changed in between.
    """
    if own:
        with suppress(OSError):  # a file system without links
            os.link(path, target)
            return
    shutil.copyfile(path, target)
    if content_hash(target) != content:
        raise DataError(f"{path.name} changed while it was read.", hint="Open it again.")


def _choose(card: FileReport, choices: Opening) -> MatrixReport:
    """Find the matrix to read, or refuse with all that stands in the way."""
    _refuse(card, choices)
    by_location = {matrix.location: matrix for matrix in card.matrices}
    location = choices.counts_location or card.counts
    if location is None:  # relative expression is asked for
        location = "X" if "X" in by_location else next(iter(by_location))
    if location not in by_location:
        raise CountsError(
            f"The file has no matrix {location!r}.", hint=f"Its matrices are: {', '.join(by_location)}."
        )
    return by_location[location]


def _refuse(card: FileReport, choices: Opening) -> None:
    """Raise what the card says against opening the file; that no counts were found is none where one was chosen."""
    chosen = choices.counts_location is not None or choices.relative
    stops = [one for one in card.findings if one.level == "stop" and not (chosen and one.is_doubt)]
    if stops:
        error = CountsError if card.counts is None and len(stops) == 1 else DataError
        raise error(" ".join(finding.text for finding in stops), hint=stops[0].hint)


def _opened(
    source: Path, card: FileReport, matrix: MatrixReport, *, choices: Opening, report: Report
) -> DatasetInfo:
    """Read what was chosen and write it beside the source."""
    history: list[str] = []
    folder, turned = source.parent, card.turned
    if turned:
        history.append("Rows were read as genes and columns as cells.")
    with h5py.File(source, "r") as file:
        obs, uns = cell_table(file, history, turned=turned)
        var = gene_table(file, matrix.location, history, turned=turned)
        obsm = {} if turned else embedding_tables(file, len(obs), history)
        stored = matrix_blocks(file, matrix.location, folder, turned=turned)
        conversion, stored = _conversion(stored, matrix, choices)
        features = _features(var)
        var = var.loc[features.genes]
        var = var if choices.keep_names else names_of_today(var, history)
        cells = Cells(obs=obs, var=var, obsm=obsm, uns=uns)
        counts = (conversion.block(block) for block in features.blocks(stored))
        sums = write_cells(folder, cells, counts, report=report, more=features.columns)
    history = [conversion.done(), *history, *features.notes()]
    empty = int(np.sum(sums == 0))
    if empty:
        history.append(f"{empty:,} cells have no counts at all; they are kept.")
    history += depth_from(sums, cells.obs).notes
    info = info_of(folder, cells, counts=conversion.source())
    return replace(info, history=tuple(history))


def _features(var: pd.DataFrame) -> Features:
    column = kinds_column([str(name) for name in var.columns])
    kinds = None if column is None else var[column].astype(object).fillna("").astype(str).tolist()
    return features_of(var.index.tolist(), kinds)


def _conversion(
    stored: Iterator[csr_matrix], matrix: MatrixReport, choices: Opening
) -> tuple[Conversion, Iterator[csr_matrix]]:
    """Find the way to counts, by the first cells where the card has seen none whole; also give the blocks back."""
    kind, transform, evidence = matrix.kind, matrix.transform, matrix.evidence
    first = next(stored, None)
    if first is not None and not matrix.n_sampled:
        scale = scale_of(Rows(values=first.data, bounds=first.indptr.astype(np.int64)))
        kind, transform, evidence = scale.kind, scale.transform, scale.evidence
    conversion = Conversion(
        location=matrix.location,
        kind=kind,
        transform=transform,
        evidence=evidence,
        chosen=choices.counts_location is not None,
        relative=choices.relative,
    )
    return conversion, _chained(first, stored)


def _chained(first: csr_matrix | None, rest: Iterator[csr_matrix]) -> Iterator[csr_matrix]:
    if first is not None:
        yield first
    yield from rest
