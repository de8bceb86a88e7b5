"""What of a folder can be opened, by the names of files; what a file really is, its content tells later."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from scviz.errors import UnreadableFileError

ENDINGS = (
    ".h5ad",
    ".h5",
    ".h5mu",
    ".h5seurat",
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
MATRIX = (".mtx", ".mtx.gz")
NAMES_OF_CELLS = ("barcode", "feature", "gene", "cell_metadata", "quants_mat_rows", "quants_mat_cols")
"""Parts of names of files that belong to a matrix beside them."""


def openable(root: Path) -> Iterator[Path]:
    """Yield files, and folders of a matrix with its names, below a folder; links are not followed.

    Of a folder with a matrix in Matrix Market form the folder is given, not each of its files.
    """
    for place, folders, files in os.walk(root):
        here, zarrs = Path(place), _take_zarrs(folders)
        has_matrix = here != root and any(name.lower().endswith(MATRIX) for name in files)
        if has_matrix:
            yield here
        for name in (*zarrs, *sorted(files)):
            if _is_openable(name, has_matrix=has_matrix):
                yield here / name


def _take_zarrs(folders: list[str]) -> list[str]:
    """Take folders of zarr out of those that are walked into, hidden ones too; return those of zarr."""
    visible = sorted(name for name in folders if not name.startswith("."))
    folders[:] = [name for name in visible if not name.lower().endswith(".zarr")]
    return [name for name in visible if name not in folders]


def _is_openable(name: str, *, has_matrix: bool) -> bool:
    """Tell whether a file, or a folder of zarr, can be opened by itself."""
    lower = name.lower()
    belongs = has_matrix and (lower.endswith(MATRIX) or any(part in lower for part in NAMES_OF_CELLS))
    return lower.endswith(ENDINGS) and not lower.startswith(".") and not belongs


def file_meant(typed: str, listed: Mapping[str, str], roots: Iterable[Path]) -> str:
    """Return the file that was typed: a whole path, a part of a listed name, or a path within a data folder.

    Parameters
    ----------
    listed
        Files by their paths, with the names that their user sees.
    roots
        Folders whose files may be opened.

    Raises
    ------
    UnreadableFileError
        If no file is meant, or several have this part in their names.
    """
    if typed in listed or typed.startswith(("/", "~")):
        return typed
    part = typed.strip().casefold()
    like = [file for file, name in listed.items() if part in name.casefold()]
    like = [file for file in like if listed[file].casefold() == part] or like
    if len(like) > 1:
        raise UnreadableFileError(
            f"{len(like):,} files have {typed!r} in their names, such as {listed[like[0]]} and {listed[like[1]]}.",
            hint="Choose one of them from the list.",
        )
    return like[0] if like else _within(typed.strip(), list(roots))


def _within(typed: str, roots: Sequence[Path]) -> str:
    """Return the file of a path within one of the data folders; what lies outside is not looked for."""
    for root in roots:
        try:
            real = (root / typed).resolve()
            if real.is_relative_to(root.expanduser().resolve()) and real.exists():
                return str(real)
        except (OSError, RuntimeError, ValueError):  # no path at all, such as one with a zero byte
            continue
    raise UnreadableFileError(
        f"No file of the data folders is called {typed!r}.",
        hint=f"Choose one of the list, or type a path within {' or '.join(map(str, roots))}.",
    )
