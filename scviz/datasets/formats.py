"""What a file is, by what stands in it and not by its name."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from scviz.errors import UnreadableFileError

HDF5 = b"\x89HDF\r\n\x1a\n"
CONVERT = "Read it in Python and write it as h5ad: "

NOT_READ = {
    "10x": (
        "a matrix of 10x Genomics Cell Ranger (HDF5)",
        f"{CONVERT}scanpy.read_10x_h5(path).write_h5ad('cells.h5ad').",
    ),
    "loom": ("a loom file", f"{CONVERT}anndata.io.read_loom(path).write_h5ad('cells.h5ad')."),
    "h5mu": (
        "a file of several modalities (h5mu)",
        f"{CONVERT}mudata.read_h5mu(path)['rna'].write_h5ad('cells.h5ad').",
    ),
    "h5seurat": (
        "a Seurat object in HDF5 (h5Seurat)",
        "In R: SeuratDisk::Convert('cells.h5Seurat', dest = 'h5ad').",
    ),
    "hdf5": ("an HDF5 file without cells (obs) and genes (var)", "Choose a file that AnnData has written."),
    "rds": (
        "an R object (rds or RData)",
        "In R: write the counts with Matrix::writeMM(counts, 'matrix.mtx'), and the names of genes and cells "
        "beside it, then read them with scanpy.read_10x_mtx and write h5ad.",
    ),
    "mtx": (
        "a Matrix Market file",
        f"{CONVERT}scanpy.read_10x_mtx(folder).write_h5ad('cells.h5ad').",
    ),
    "zarr": ("an AnnData folder in zarr", f"{CONVERT}anndata.read_zarr(path).write_h5ad('cells.h5ad')."),
    "table": (
        "a table of text (csv, tsv)",
        f"{CONVERT}anndata.io.read_csv(path).write_h5ad('cells.h5ad'), with .T if rows are genes.",
    ),
    "gzip": (
        "a compressed file (gzip)",
        "Unpack it with gunzip first; an h5ad file need not be compressed again.",
    ),
    "compressed": ("an archive or compressed file", "Unpack it first and choose the file inside."),
    "page": (
        "a web page",
        "The download gave a page (often one that asks to log in) instead of the file: download it again.",
    ),
    "pointer": ("a Git LFS pointer, not the file itself", "Run `git lfs pull` in its repository first."),
    "empty": ("empty (0 bytes)", "The copy or download has failed: copy the file again."),
    "folder": ("a folder", "Choose a file in it."),
    "unknown": ("of no format known here", "Choose an h5ad file, as adata.write_h5ad(...) makes it."),
}
"""What each format is, and what the user can do; a format leaves this table when `readers` learns it."""

STARTS = (
    (b"version https://git-lfs", "pointer"),
    (b"%%MatrixMarket", "mtx"),
    (b"RDX", "rds"),
    (b"RDA", "rds"),
    (b"X\n\x00\x00", "rds"),
    (b"PK\x03\x04", "compressed"),
    (b"BZh", "compressed"),
    (b"\xfd7zXZ", "compressed"),
    (b"7z\xbc\xaf", "compressed"),
    (b"(\xb5/\xfd", "compressed"),
)


def format_of(path: Path) -> str:
    """Return "h5ad", or the format that was found instead: a key of `NOT_READ`.

    Raises
    ------
    UnreadableFileError
        If the file cannot be opened, or begins like HDF5 and is cut off.
    """
    if path.is_dir():
        return _folder_format({item.name for item in path.iterdir()})
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise UnreadableFileError(f"{path.name} cannot be read: {error.strerror}.") from error
    if start.startswith(HDF5) or h5py.is_hdf5(path):
        return _hdf5_format(path)
    if start.startswith(b"\x1f\x8b"):
        inner = _format_of_bytes(_unpacked(path))
        return "gzip" if inner in ("unknown", "empty") else inner
    return _format_of_bytes(start)


def refuse_other(path: Path, readable: Iterable[str] = ("h5ad",)) -> str:
    """Return the format of a file that can be read, and refuse any other one.

    Raises
    ------
    UnreadableFileError
        With what the file is, and how to turn it into one that can be read.
    """
    found = format_of(path)
    if found in readable:
        return found
    what, hint = NOT_READ[found]
    raise UnreadableFileError(f"{path.name} is {what}, which cannot be opened here.", hint=hint)


@contextmanager
def damage_in_words(name: str) -> Iterator[None]:
    """Turn what the HDF5 library says of a damaged file into a sentence for its user.

    Raises
    ------
    UnreadableFileError
        If the library fails on what is read within.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise UnreadableFileError(
            f"{name} is an h5ad file, but a part of it cannot be read: {error}.",
            hint="Copy or download it again; if that does not help, write it anew with AnnData.",
        ) from error


def _folder_format(names: set[str]) -> str:
    if names & {".zgroup", "zarr.json"}:
        return "zarr"
    return "mtx" if names & {"matrix.mtx", "matrix.mtx.gz"} else "folder"


def _hdf5_format(path: Path) -> str:
    try:
        with h5py.File(path, "r") as file:
            keys = set(file)
            if {"obs", "var"} <= keys:
                return "h5ad"
            if {"row_attrs", "col_attrs"} <= keys:
                return "loom"
            if {"assays", "cell.names"} <= keys:
                return "h5seurat"
            if "mod" in keys:
                return "h5mu"
            groups = [item for key in keys if isinstance(item := file.get(key), h5py.Group)]
            return "10x" if any({"barcodes", "indptr"} <= set(group) for group in groups) else "hdf5"
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        size = path.stat().st_size
        raise UnreadableFileError(
            f"{path.name} begins like an h5ad file, but is cut off or damaged ({size:,} bytes are there).",
            hint="Copy or download it again, and compare its size with the original.",
        ) from error


def _unpacked(path: Path) -> bytes:
    """Return the first bytes inside a gzip file, empty when it is damaged."""
    try:
        with gzip.open(path) as file:
            return file.read(4096)
    except (OSError, EOFError, zlib.error):
        return b""


def _format_of_bytes(start: bytes) -> str:
    if not start:
        return "empty"
    for magic, name in STARTS:
        if start.startswith(magic):
            return name
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "page"
    if b"\x00" in start:
        return "unknown"
    first_line = start.decode("utf-8", "replace").split("\n", 1)[0]
    return "table" if any(mark in first_line for mark in ",;\t") else "unknown"
