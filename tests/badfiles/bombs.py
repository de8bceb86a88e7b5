"""Small files that unpack to 600 MB and more: what each would cost if somebody believed it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
from scipy.sparse import csr_matrix

MEGABYTE = 10**6
SIZE = 600 * MEGABYTE
CELLS = 180
HEAD = b"%%MatrixMarket matrix coordinate integer general\n40 180 90000000\n"


def _small(path: Path) -> None:
    counts = np.random.default_rng(0).poisson(1.0, (CELLS, 40)).astype(np.float32)
    anndata.AnnData(csr_matrix(counts)).write_h5ad(path)


def _column(file: h5py.File, name: str) -> None:
    order = [str(one) for one in file["obs"].attrs["column-order"]]
    file["obs"].attrs["column-order"] = np.array([*order, name], dtype=h5py.string_dtype())
    column = file["obs"][name]
    column.attrs["encoding-type"], column.attrs["encoding-version"] = "string-array", "0.2.0"


def one_text_for_all(folder: Path) -> Path:
    """All cells point to one text of 12 MB: 2 GB of texts."""
    path = folder / "heap.h5ad"
    _small(path)
    with h5py.File(path, "a") as file:
        column = file["obs"].create_dataset("bomb", (CELLS,), dtype=h5py.string_dtype())
        column[0] = "A" * 12 * MEGABYTE
        _column(file, "bomb")
        offset = column.id.get_offset()
    with path.open("r+b") as raw:
        raw.seek(offset)
        reference = raw.read(16)
        raw.seek(offset)
        raw.write(reference * CELLS)
    return path


def long_texts_packed(folder: Path) -> Path:
    """Texts of a fixed length, packed a thousandfold."""
    path, width = folder / "fixed.h5ad", SIZE // CELLS
    _small(path)
    with h5py.File(path, "a") as file:
        column = file["obs"].create_dataset(
            "bomb", (CELLS,), dtype=f"S{width}", chunks=(1,), compression="gzip"
        )
        packed = zlib.compress(b"A" * width)
        for i in range(CELLS):
            column.id.write_direct_chunk((i,), packed)
        _column(file, "bomb")
    return path


def cells_of_nothing(folder: Path) -> Path:
    """A matrix that says that it holds 40 million cells: names and bounds, all zero."""
    path, n = folder / "cells.h5ad", 40 * MEGABYTE
    _small(path)
    with h5py.File(path, "a") as file:
        for name, kind in (("obs/_index", "S8"), ("X/indptr", "i8")):
            kept = dict(file[name].attrs)
            del file[name]
            node = file.create_dataset(name, (n,), dtype=kind, chunks=(MEGABYTE,), compression="gzip")
            packed = zlib.compress(bytes(8 * MEGABYTE))
            for start in range(0, n, MEGABYTE):
                node.id.write_direct_chunk((start,), packed)
            node.attrs.update(kept)
        file["X"].attrs["shape"] = np.array([n - 1, 40])
    return path


def one_line(folder: Path) -> Path:
    """A table whose first line never ends."""
    path = folder / "line.csv.gz"
    path.write_bytes(gzip.compress(b"A" * 10 * MEGABYTE) * (SIZE // (10 * MEGABYTE)))
    return path


def matrix_in_a_zip(folder: Path) -> Path:
    """An archive with a matrix of which each line is the same."""
    path = folder / "matrix.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("matrix.mtx", "w", force_zip64=True) as file:
            file.write(HEAD)
            for _ in range(SIZE // (10 * MEGABYTE)):
                file.write(b"1 1 1\n" * (10 * MEGABYTE // 6))
        archive.writestr("barcodes.tsv", "\n".join(f"c{i}" for i in range(CELLS)))
        archive.writestr("features.tsv", "\n".join(f"g{i}" for i in range(40)))
    return path


def matrix_in_a_tar(folder: Path) -> Path:
    """The same as tar.gz."""
    path, lines = folder / "matrix.tar.gz", b"1 1 1\n" * (10 * MEGABYTE // 6)
    n = SIZE // len(lines)
    info = tarfile.TarInfo("matrix.mtx")
    info.size = len(HEAD) + n * len(lines)
    start = io.BytesIO(info.tobuf() + HEAD)
    path.write_bytes(gzip.compress(start.getvalue()) + gzip.compress(lines) * n)
    return path


def r_vector(folder: Path) -> Path:
    """An R object with a vector of 75 million numbers, all zero."""
    path, n = folder / "vector.rds", SIZE // 8
    head = b"X\n" + b"".join(v.to_bytes(4, "big") for v in (3, 0x040300, 0x030500, 5)) + b"UTF-8"
    head += (14).to_bytes(4, "big") + n.to_bytes(4, "big")
    piece = gzip.compress(bytes(10 * MEGABYTE))
    path.write_bytes(gzip.compress(head) + piece * (SIZE // (10 * MEGABYTE)))
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    one.__name__: one
    for one in (
        one_text_for_all,
        long_texts_packed,
        cells_of_nothing,
        one_line,
        matrix_in_a_zip,
        matrix_in_a_tar,
        r_vector,
    )
}


def terms_without_end(folder: Path) -> Path:
    """A collection of gene sets of 600 MB, packed into less than one."""
    path, line = folder / "sets.gmt.gz", b"heme\tabout" + b"\tKLF1" * 2_000_000 + b"\n"
    path.write_bytes(gzip.compress(line) * (SIZE // len(line)))
    return path


def terms_of_many_genes(folder: Path) -> Path:
    """Gene sets within the largest size that may be, each cell of which is a text of its own once it is read."""
    path, line = folder / "genes.gmt.gz", b"heme\tabout" + b"\tG1" * 1_000_000 + b"\n"
    path.write_bytes(gzip.compress(line) * (180 * MEGABYTE // len(line)))
    return path


def nested_terms(folder: Path) -> Path:
    """A JSON file of nothing but brackets."""
    path = folder / "nested.json.gz"
    path.write_bytes(gzip.compress(b"[" * 150 * MEGABYTE))
    return path


TERM_BOMBS: dict[str, Callable[[Path], Path]] = {
    one.__name__: one for one in (terms_without_end, terms_of_many_genes, nested_terms)
}
"""The same of gene terms, which every page that asks for gene sets takes."""
