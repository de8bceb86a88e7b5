"""What of a folder can be opened, by the names of files; what a file really is, its content tells later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ENDINGS = (
    ".h5ad",
    ".h5",
    ".h5mu",
    ".loom",
    ".zarr",
    ".rds",
    ".rdata",
    ".zip",
    ".tar",
    ".tar.gz",
    ".tgz",
    ".mtx",
    ".mtx.gz",
    ".csv",
    ".csv.gz",
    ".tsv",
    ".tsv.gz",
    ".txt.gz",
)
"""Small letters; plain `.txt` is mostly no table of counts and can be typed."""
NAMES_OF_CELLS = ("barcode", "feature", "gene", "cell_metadata", "quants_mat_rows", "quants_mat_cols")
"""Parts of names of files that belong to a matrix beside them."""


def openable(root: Path) -> Iterator[Path]:
    """Yield files, and folders of a matrix with its names, below a folder; links are not followed.

    Of a folder with a matrix in Matrix Market form the folder is given, not each of its files.
    """
    for place, folders, files in os.walk(root):
        here = Path(place)
        zarrs = sorted(name for name in folders if name.lower().endswith(".zarr"))
        yield from (here / name for name in zarrs)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in zarrs)
        matrices = [name for name in files if name.lower().endswith((".mtx", ".mtx.gz"))]
        if matrices and here != root:
            yield here
        for name in sorted(files):
            if _is_openable(name, beside_matrix=bool(matrices), at_root=here == root):
                yield here / name


def _is_openable(name: str, *, beside_matrix: bool, at_root: bool) -> bool:
    lower = name.lower()
    if lower.startswith(".") or not lower.endswith(ENDINGS):
        return False
    belongs = lower.endswith((".mtx", ".mtx.gz")) and not at_root
    return not belongs and not (beside_matrix and any(part in lower for part in NAMES_OF_CELLS))
