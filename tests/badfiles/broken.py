"""Files that cannot or must not be opened, each refused in words."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.badfiles.case import Case, Make, cells
from tests.badfiles.encodings import edited


def holding(content: bytes, name: str = "cells.h5ad") -> Make:
    """A file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def cut(share: float) -> Make:
    """A file whose end is missing."""

    def make(folder: Path) -> Path:
        path = folder / "cells.h5ad"
        cells().write_h5ad(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        return path

    return make


def hdf5(fill: Callable[[h5py.File], None], name: str = "cells.h5ad") -> Make:
    """An HDF5 file of other content."""

    def make(folder: Path) -> Path:
        with h5py.File(folder / name, "w") as file:
            fill(file)
        return folder / name

    return make


def _soft_link(file: h5py.File) -> None:
    file["layers/counts"] = h5py.SoftLink("/X")


def _external_link(file: h5py.File) -> None:
    file["layers/counts"] = h5py.ExternalLink("/etc/hostname", "/")


def _external_values(file: h5py.File) -> None:
    file.create_dataset("obsm/X_a", (10, 2), "f4", external=[("/etc/hostname", 0, 80)])


def _reference(file: h5py.File) -> None:
    file["uns"].create_dataset("pointer", data=file["X"].ref, dtype=h5py.ref_dtype)


def _huge(file: h5py.File) -> None:
    file.create_dataset("obsm/X_huge", (10**9, 100), "f8", chunks=(1000, 100))


def _huge_chunk(file: h5py.File) -> None:
    file.create_dataset("obsm/X_chunk", (20_000, 20_000), "f8", chunks=(20_000, 20_000))


def _short(file: h5py.File) -> None:
    file["X/indptr"][5] = 10**7


def _outside(file: h5py.File) -> None:
    file["X/indices"][5] = 10**6


def _few_names(file: h5py.File) -> None:
    names = file["obs/_index"][:-3]
    del file["obs/_index"]
    file.create_dataset("obs/_index", data=names, dtype=h5py.string_dtype())


def _no_index(file: h5py.File) -> None:
    del file["var/_index"]


def _no_cells(file: h5py.File) -> None:
    file.create_dataset("matrix", data=np.zeros((3, 3)))


def packed(folder: Path) -> Path:
    """An h5ad file that somebody compressed."""
    cells().write_h5ad(folder / "cells.h5ad")
    path = folder / "cells.h5ad.gz"
    path.write_bytes(gzip.compress((folder / "cells.h5ad").read_bytes()))
    return path


def refused(name: str, make: Make, *said: str) -> Case:
    return Case(name=name, make=make, counts=None, said=said)


CASES = (
    refused("an empty file", holding(b""), "empty (0 bytes)", "copy the file again"),
    refused("half a file", cut(0.5), "cut off or damaged"),
    refused("the first bytes of a file", cut(0.01), "cut off or damaged"),
    refused(
        "a web page",
        holding(b"<!DOCTYPE html><html><body>Log in</body></html>"),
        "a web page",
        "download it again",
    ),
    refused(
        "a pointer of Git LFS",
        holding(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
        "Git LFS",
        "git lfs pull",
    ),
    refused("bytes of nothing known", holding(bytes(range(256)) * 20), "no format known here"),
    refused("HDF5 without cells", hdf5(_no_cells), "without cells (obs) and genes (var)"),
    refused("a link within the file", edited(_soft_link), "link to another place"),
    refused("a link to another file", edited(_external_link), "link to another place"),
    refused("values in another file", edited(_external_values), "in another file"),
    refused("references instead of values", edited(_reference), "references instead of values"),
    refused("an array of 800 GB", edited(_huge), "unpacks to more than"),
    refused("a chunk of 3 GB", edited(_huge_chunk), "pieces of more than"),
    refused("an index beyond the values", edited(_short), "damaged"),
    refused("a gene beyond the genes", edited(_outside), "damaged"),
    refused("fewer names than cells", edited(_few_names), "but there are names for 45 cells"),
    refused("genes without names", edited(_no_index), "does not name its rows"),
)
