"""Open a file: make its counts, names and columns fit to work with, and keep them in the workspace."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from scviz.datasets import genes, tables
from scviz.datasets.columns import COUNTS, SOURCE, write_gene_values, write_genes
from scviz.datasets.counts import WAYS_OUT, is_whole, recover_counts
from scviz.datasets.doctor import FileReport, MatrixReport, check_file, column_infos, counts_source
from scviz.datasets.expression import depth_of, log_expression
from scviz.datasets.formats import damage_in_words, refuse_other
from scviz.datasets.matrices import genes_of, matrix_at, read_csr
from scviz.datasets.roles import as_category
from scviz.datasets.safety import UNPACK_LIMIT, inspect_h5
from scviz.datasets.simulated import preset_of
from scviz.errors import CountsError, DataError
from scviz.progress import Progress, Report, silent
from scviz.workspace import CountsSource, DatasetInfo, Workspace
from scviz.workspace.records import file_hash, fingerprint
from scviz.workspace.store import slug, write_info

LAYOUT = 2
"""Raised when what is kept of a dataset changes, so that files are opened anew."""
UNKNOWN = "unknown"
GREY = "#bdbdbd"
LARGEST_COUNT = 2**24
"""Whole numbers up to here are exact in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What was read of a file."""

    adata: AnnData
    """Raw counts (N, G) as CSR float32; `obs`, `var`, `obsm` of the file."""
    counts: CountsSource
    history: tuple[str, ...]
    """What was changed on reading, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which matrix of a file is to be read as counts, by the card of the file."""

    card: FileReport
    matrix: MatrixReport


def read_counts(folder: Path) -> AnnData:
    """Read an opened dataset: raw counts (N, G) as CSR float32, with `obs`, `var` and `obsm`."""
    return anndata.read_h5ad(folder / COUNTS)


def open_file(
    path: Path,
    workspace: Workspace,
    *,
    name: str = "",
    counts_location: str | None = None,
    report: Report = silent,
    demo: bool = False,
    notes: tuple[str, ...] = (),
    limit: int = UNPACK_LIMIT,
) -> DatasetInfo:
    """Open a file and keep it in the workspace; the same file with the same choices is opened once.

    Parameters
    ----------
    path
        A file that its user may open.
    workspace
        Where it is kept.
    name
        What the dataset is called; empty takes the name of the file.
    counts_location
        `X`, `raw/X` or `layers/<name>`; None takes the matrix that the card of the file names.
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
    name = name or path.stem
    report(Progress(stage="Checking the file"))
    choice = _choose(check_file(path, limit=limit), counts_location)
    content = file_hash(path)
    key = fingerprint(content, choice.matrix.location, demo, LAYOUT)
    folder = workspace.dataset_folder(f"{slug(name)}-{key[:8]}")
    if (folder / "info.json").exists():
        return workspace.dataset(folder.name)
    draft = folder.with_name(f".{folder.name}-{uuid4().hex}")
    draft.mkdir(parents=True)
    try:
        source = draft / SOURCE
        shutil.copyfile(path, source)
        if file_hash(source) != content:
            raise DataError(f"{path.name} changed while it was read.", hint="Open it again.")
        inspect_h5(source, limit)
        with damage_in_words(path.name):
            cells = READERS[refuse_other(source, READERS)](source, choice, report)
        _write(draft, cells, report)
        info = _info(cells, draft, key=folder.name, name=name, source=path.name)
        notes = (*notes, *info.history)
        write_info(replace(info, demo=demo, simulated=preset_of(source), history=notes), draft)
        _move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return workspace.dataset(folder.name)


def read_h5ad(path: Path, choice: Choice, report: Report = silent) -> Cells:
    """Read an h5ad file of any age."""
    history: list[str] = []
    with h5py.File(path, "r") as file:
        counts = _counts(file, choice.matrix, history, report=report)
        report(Progress(stage="Reading names and columns"))
        obs, uns = _cell_table(file, history)
        var = _gene_table(file, choice.matrix.location, history)
        obsm = _embeddings(file, len(obs), history)
    empty = int(np.sum(np.diff(counts.indptr) == 0))
    if empty:
        history.append(f"{empty:,} cells have no counts at all; they are kept.")
    adata = AnnData(X=counts, obs=obs, var=var, obsm=obsm, uns=uns)
    history += depth_of(adata).notes
    return Cells(adata=adata, counts=counts_source(choice.matrix), history=tuple(history))


READERS: Mapping[str, Callable[[Path, Choice, Report], Cells]] = {"h5ad": read_h5ad}
"""Formats by what a file is; the others stand in `formats.NOT_READ` with a way to convert them."""


def _refuse(card: FileReport, location: str | None) -> None:
    """Raise what the card of a file says against opening it."""
    none_found = card.counts is None
    named = location is not None and none_found  # then it is no hindrance that no matrix was found
    stops = [
        one
        for one in card.findings
        if one.level == "stop" and not (named and one.text.startswith("No matrix"))
    ]
    if stops:
        error = CountsError if none_found and len(stops) == 1 else DataError
        raise error(" ".join(finding.text for finding in stops), hint=stops[0].hint)


def _choose(card: FileReport, location: str | None) -> Choice:
    """Find the matrix to read, or refuse with all that stands in the way."""
    _refuse(card, location)
    by_location = {matrix.location: matrix for matrix in card.matrices}
    location = location or (card.counts.location if card.counts else "X")
    if location not in by_location:
        raise CountsError(
            f"The file has no matrix {location!r}.", hint=f"Its matrices are: {', '.join(by_location)}."
        )
    matrix = by_location[location]
    if matrix.kind in ("scaled", "other"):
        raise CountsError(f"{location} holds no raw counts. {matrix.evidence}", hint=WAYS_OUT)
    return Choice(card=card, matrix=matrix)


def _counts(file: h5py.File, matrix: MatrixReport, history: list[str], *, report: Report) -> csr_matrix:
    """Read the matrix and make sure that every value of it is a count."""
    stored = read_csr(matrix_at(file, matrix.location), report)
    if matrix.kind == "counts":
        if not is_whole(stored.data):
            raise CountsError(
                f"{matrix.location} looks like counts in the cells that were sampled, but not in all cells.",
                hint=WAYS_OUT,
            )
        history.append(f"Raw counts were taken from {matrix.location} as they are.")
        counts = stored
    else:
        report(Progress(stage="Recovering counts"))
        recovered = recover_counts(stored, base=None if matrix.kind == "log-normalized" else matrix.base)
        history.append(
            f"Counts were recovered from the logarithms in {matrix.location}: in each of the "
            f"{stored.shape[0]:,} cells all values are whole multiples of one unit."
        )
        counts = recovered.counts
    if counts.data.max(initial=0) > LARGEST_COUNT:
        raise CountsError(f"{matrix.location} holds counts above {LARGEST_COUNT:,}.", hint=WAYS_OUT)
    return csr_matrix((counts.data.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def _cell_table(file: h5py.File, history: list[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read `obs` with every gap filled, and the colors of its categories."""
    table = file["obs"]
    columns, colors = {}, {}
    left_out = []
    infos = {info.name: info for info in column_infos(file, sampled=False)[0]}
    for name in tables.column_names(table):
        try:
            column = tables.read_column(table, name)
        except DataError:
            left_out.append(name)
            continue
        named = as_category(column)
        if named is not column:
            history.append(f"The numbers in {name} were taken for names of groups.")
        columns[name] = _series(named, history)
        by_name = dict(zip(infos[name].values, infos[name].colors, strict=False))
        if by_name:
            colors[f"{name}_colors"] = np.array([by_name.get(c, GREY) for c in columns[name].cat.categories])
    if left_out:
        history.append(f"Columns stored in a way that is not known were left out: {', '.join(left_out)}.")
    obs = pd.DataFrame(columns, index=range(tables.n_rows(table)), columns=list(columns))
    obs.index = _unique(tables.row_names(table), "cell", history)
    return obs, colors


def _series(column: tables.Column, history: list[str]) -> pd.Series:
    """Turn a column into a series; categories without a value become "unknown"."""
    if column.categories is None:
        return pd.Series(column.values)
    codes, names = column.values, list(column.categories)
    missing = codes < 0
    if missing.any():
        if UNKNOWN not in names:
            names.append(UNKNOWN)
        codes = np.where(missing, names.index(UNKNOWN), codes)
        history.append(f'{missing.sum():,} missing values of {column.name} were filled with "{UNKNOWN}".')
    return pd.Series(pd.Categorical.from_codes(codes, categories=names))


def _gene_table(file: h5py.File, location: str, history: list[str]) -> pd.DataFrame:
    var, left_out = tables.read_table(genes_of(file, location))
    if left_out:
        history.append(f"Columns of genes that could not be read were left out: {', '.join(left_out)}.")
    var.index = _unique(var.index.tolist(), "gene", history)
    return var


def _unique(names: list[str], what: str, history: list[str]) -> pd.Index:
    n_repeated = genes.n_repeated(names)
    if n_repeated:
        history.append(
            f"{n_repeated:,} {what} names occurred more than once; later ones got -1, -2, ... appended."
        )
    return pd.Index(genes.unique_names(names), dtype=object)


def _embeddings(file: h5py.File, n_cells: int, history: list[str]) -> dict[str, NDArray[np.floating]]:
    """Read coordinates of cells; what is no table of numbers is left out."""
    node = file.get("obsm", {})
    keys = node.dtype.names or () if isinstance(node, h5py.Dataset) else tuple(node)
    found, left_out = {}, []
    for key in keys:
        item = node.fields(key) if isinstance(node, h5py.Dataset) else node[key]
        values = item[:] if not isinstance(item, h5py.Group) else np.empty(0)
        if values.ndim == 2 and len(values) == n_cells and values.dtype.kind in "iuf":
            found[key] = values
        else:
            left_out.append(key)
    if left_out:
        history.append(f"Entries of obsm that are no coordinates were left out: {', '.join(left_out)}.")
    return found


def _write(folder: Path, cells: Cells, report: Report) -> None:
    report(Progress(stage="Writing the dataset"))
    adata = cells.adata
    adata.write_h5ad(folder / COUNTS)
    by_gene = log_expression(adata.X, depth_of(adata)).tocsc()
    by_gene.sort_indices()
    write_gene_values(
        folder,
        values=by_gene.data.astype(np.float32),
        rows=by_gene.indices.astype(np.int32),
        bounds=by_gene.indptr.astype(np.int64),
    )
    write_genes(folder, adata.var_names.tolist(), genes.identifiers(adata.var))


def _info(cells: Cells, folder: Path, *, key: str, name: str, source: str) -> DatasetInfo:
    adata = cells.adata
    with h5py.File(folder / COUNTS, "r") as file:
        columns, _ = column_infos(file, sampled=False)
    return DatasetInfo(
        id=key,
        name=name,
        source=source,
        n_cells=adata.n_obs,
        n_genes=adata.n_vars,
        counts=cells.counts,
        gene_names=genes.kind_of(adata.var_names.tolist()),
        columns=columns,
        embeddings=tuple(adata.obsm),
        species=genes.guess_species(genes.identifiers(adata.var)).species,
        history=cells.history,
    )


def _move(draft: Path, folder: Path) -> None:
    """Put a finished dataset in its place, unless somebody else was faster."""
    if folder.exists() and not (folder / "info.json").exists():
        shutil.rmtree(folder)
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / "info.json").exists():
            raise
