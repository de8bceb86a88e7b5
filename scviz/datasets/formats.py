"""What a file is, by what stands in it and not by its name."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from scviz.datasets.arriving.unpacking import first_bytes
from scviz.errors import UnreadableFileError, UnsafeFileError

HDF5 = b"\x89HDF\r\n\x1a\n"
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
HDF5_KEYS = (
    ("h5mu", {"mod"}),
    ("h5ad", {"obs", "var"}),
    ("loom", {"row_attrs", "col_attrs"}),
    ("h5seurat", {"assays", "cell.names"}),
    ("molecules", {"barcode_idx", "count", "umi"}),
    ("molecules", {"barcode", "gem_group", "umi"}),
)
"""What stands at the root of HDF5 files; the first that fits."""
NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")
CONVERT = "Read it in Python and write it as h5ad: "

NOT_READ = {
    "molecules": (
        "a list of molecules of 10x Genomics Cell Ranger (molecule_info.h5)",
        "Choose filtered_feature_bc_matrix.h5, which lies beside it.",
    ),
    "hdf5": ("an HDF5 file without cells (obs) and genes (var)", "Choose a file that AnnData has written."),
    "compressed": (
        "an archive of a kind that is not opened here (7z, rar, zstd)",
        "Unpack it first and choose the file inside, or pack it as zip or tar.gz.",
    ),
    "excel": ("an Excel workbook", "Save the sheet with the counts as CSV and choose that."),
    "numpy": (
        "a file of numpy, which has no names of genes",
        f"{CONVERT}AnnData(counts, obs, var).write_h5ad.",
    ),
    "pickle": (
        "a Python pickle, which may run code when it is read",
        f"{CONVERT}adata.write_h5ad('cells.h5ad'), where you trust it.",
    ),
    "reads": (
        "a file of sequencing reads (FASTQ, BAM), not of counts",
        "Count them first (Cell Ranger, STARsolo, kallisto | bustools, alevin-fry), then choose that folder.",
    ),
    "geo": (
        "a description of samples by GEO (series matrix, SOFT), without counts",
        "Download the supplementary files of the series instead, such as GSE..._RAW.tar.",
    ),
    "utf16": ("a text in UTF-16, as Excel writes it", "Save it as CSV in UTF-8."),
    "pdf": ("a PDF", "Choose the file with the counts."),
    "page": (
        "a web page",
        "The download gave a page (often one that asks to log in) instead of the file: download it again.",
    ),
    "pointer": ("a Git LFS pointer, not the file itself", "Run `git lfs pull` in its repository first."),
    "empty": ("empty (0 bytes)", "The copy or download has failed: copy the file again."),
    "folder": ("a folder without cells, or with several files of them", "Choose one file in it."),
    "unknown": (
        "of no format known here",
        "Choose the file with the counts: h5ad, 10x, loom, zarr, rds, CSV or the like.",
    ),
}
"""What each format is that cannot be opened, and what the user can do."""

STARTS = (
    (b"version https://git-lfs", "pointer"),
    (b"%%MatrixMarket", "mtx"),
    (b"%%matrixmarket", "mtx"),
    (b"RDX", "rds"),
    (b"RDA", "rds"),
    (b"X\n\x00\x00", "rds"),
    (b"A\n2\n", "rds"),
    (b"A\n3\n", "rds"),
    (b"7z\xbc\xaf", "compressed"),
    (b"Rar!", "compressed"),
    (b"(\xb5/\xfd", "compressed"),
    (b"\xd0\xcf\x11\xe0", "excel"),
    (b"\x93NUMPY", "numpy"),
    (b"%PDF", "pdf"),
    (b"BAM\x01", "reads"),
    (b"CRAM", "reads"),
    (b"!Series_", "geo"),
    (b"!Sample_", "geo"),
    (b"^DATABASE", "geo"),
    (b"^SERIES", "geo"),
    (b"\xff\xfe", "utf16"),
    (b"\xfe\xff", "utf16"),
)
"""How files begin."""
TAR_MARK = slice(257, 262)
IN_ZARR = {".zgroup", ".zattrs", ".zarray", ".zmetadata", "zarr.json"}
IN_ZIP = (("zarr", IN_ZARR), ("excel", {"workbook.xml", "workbook.bin"}))
TAKEN = (("mtx", "10x"), ("h5ad", "h5mu", "loom", "rds", "zarr", "h5seurat", "archive"), ("table",))
"""What is taken in a folder: all matrices, else the only file that holds all cells, else the only table."""
MATRIX_NAME = re.compile(r"\.mtx(\.gz|\.bz2|\.xz)?$", re.IGNORECASE)
MOST_FILES = 20_000
MOST_TITLES = 10
"""Lines above a table that may hold its title."""
WIDE = 20


def format_of(path: Path) -> str:
    """Return "h5ad", or the format that was found instead: one with a reader, or a key of `NOT_READ`.

    A folder that holds one file of cells is of the format of that file; see `inside`.

    Raises
    ------
    UnreadableFileError
        If the file cannot be opened, or begins like HDF5 or zip and is cut off.
    """
    if path.is_dir():
        return _folder_format(path)
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise UnreadableFileError(f"{path.name} cannot be read: {error.strerror}.") from error
    if start[TAR_MARK] == b"ustar":  # h5py finds the HDF5 file that stands first in an archive
        return "archive"
    if start.startswith(HDF5) or h5py.is_hdf5(path):
        return _hdf5_format(path)
    if start.startswith(b"PK\x03\x04"):
        return _zip_format(path)
    if start.startswith(COMPRESSED):
        return _compressed_format(first_bytes(path))
    return _format_of_bytes(start)


def contents(folder: Path) -> list[Path]:
    """List the files of a folder and of those within, and zarr folders as one; nothing hidden or outside.

    Raises
    ------
    UnsafeFileError
        If there are too many of them.
    """
    root = folder.resolve()
    found: list[Path] = []
    waiting = [folder]
    n_seen = 0
    while waiting:
        for item in sorted(waiting.pop().iterdir()):
            n_seen += 1
            if n_seen > MOST_FILES:
                raise UnsafeFileError(
                    f"{folder.name} holds more than {MOST_FILES:,} files.", hint="Choose a folder within it."
                )
            if item.name.startswith((".", "__MACOSX")) or not item.resolve().is_relative_to(root):
                continue
            if item.is_dir() and not _is_zarr(item):
                waiting.append(item)
            else:
                found.append(item)
    return sorted(found)


def inside(path: Path) -> Path:
    """Return what holds the cells: the path itself, or the only file of cells in a folder.

    Raises
    ------
    UnreadableFileError
        If a file within cannot be opened, or is cut off.
    UnsafeFileError
        If the folder holds too many files.
    """
    if not path.is_dir() or _is_zarr(path):
        return path
    formats = _formats_in(path)
    wanted = next((names for names in TAKEN if set(names) & set(formats.values())), TAKEN[0])
    found = [item for item, name in formats.items() if name in wanted]
    return found[0] if len(found) == 1 and wanted != TAKEN[0] else path


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
    what, hint = NOT_READ.get(found, (f"a file of another kind ({found})", "Open it as it is."))
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


def _is_zarr(folder: Path) -> bool:
    return any((folder / name).exists() for name in IN_ZARR)


def _folder_format(folder: Path) -> str:
    if _is_zarr(folder):
        return "zarr"
    cells = inside(folder)
    if cells != folder:
        return format_of(cells)
    return "mtx_folder" if set(TAKEN[0]) & set(_formats_in(folder).values()) else "folder"


def _formats_in(folder: Path) -> dict[Path, str]:
    return {item: "mtx" if MATRIX_NAME.search(item.name) else format_of(item) for item in contents(folder)}


def _zip_format(path: Path) -> str:
    if not zipfile.is_zipfile(path):
        size = path.stat().st_size
        raise UnreadableFileError(
            f"{path.name} begins like a zip archive, but is cut off or damaged ({size:,} bytes are there).",
            hint="Copy or download it again, and compare its size with the original.",
        )
    try:
        with zipfile.ZipFile(path) as file:
            parts = [name.split("/") for name in file.namelist()]
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UnreadableFileError(
            f"{path.name} is a zip archive whose list of files is damaged: {error}.",
            hint="Copy or download it again, and compare its size with the original.",
        ) from error
    return _format_of_members({part[-1] for part in parts if len(part) <= 2})


def _format_of_members(names: set[str]) -> str:
    """Tell what a zip is by the files in it and in its folders."""
    for name, marks in IN_ZIP:
        if names & marks:
            return name
    return "numpy" if names and all(name.endswith(".npy") for name in names) else "archive"


def _compressed_format(start: bytes) -> str:
    """Name what gzip, bzip2 or xz holds; a file that must be unpacked to be read is an archive."""
    if not start or start.startswith((HDF5, b"PK\x03\x04", *COMPRESSED)):
        return "archive"
    found = _format_of_bytes(start)
    return "archive" if found == "unknown" else found


def _hdf5_format(path: Path) -> str:
    try:
        with h5py.File(path, "r") as file:
            keys = set(file)
            groups = {key: set(_own_group(file, key)) for key in keys}
            for name, wanted in HDF5_KEYS:
                if wanted <= keys:
                    return name
            return "10x" if any({"barcodes", "indptr"} <= group for group in groups.values()) else "hdf5"
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        size = path.stat().st_size
        raise UnreadableFileError(
            f"{path.name} begins like an h5ad file, but is cut off or damaged ({size:,} bytes are there).",
            hint="Copy or download it again, and compare its size with the original.",
        ) from error


def _own_group(file: h5py.File, key: str) -> Iterable[str]:
    """Return the names in a group that lies in the file itself and is no link to another."""
    if not isinstance(file.get(key, getlink=True), h5py.HardLink):
        return ()
    item = file[key]
    return item.keys() if isinstance(item, h5py.Group) else ()


def _format_of_bytes(start: bytes) -> str:
    if not start:
        return "empty"
    for magic, name in STARTS:
        if start.startswith(magic):
            return name
    if start[TAR_MARK] == b"ustar":
        return "archive"
    if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "page"
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if b"\x00" in start:
        return "unknown"
    return _text_format(start.decode("utf-8-sig", "replace"))


def _text_format(start: str) -> str:
    lines = start.replace("\r", "\n").strip("\n").split("\n")
    if lines[0].startswith("@") and len(lines) > 2 and lines[2].startswith("+"):
        return "reads"
    lines = [line for line in lines if line.strip() and not line.startswith("#")] or lines[:1]
    return "table" if _is_table(lines) else "unknown"


def _is_table(lines: list[str]) -> bool:
    """Tell whether lines are those of a table, below a title or not."""
    marked = any(mark in lines[0] for mark in ",;\t|") or any(map(_is_wide, lines[1:MOST_TITLES]))
    return marked or _is_spaced([line.split() for line in lines[:3]])


def _is_wide(line: str) -> bool:
    """Tell whether a line below a title has as many fields as no sentence has."""
    return max(map(line.count, ",;\t|")) >= WIDE


def _is_spaced(words: list[list[str]]) -> bool:
    """Tell whether lines are those of a table with spaces between its columns."""
    if len(words) < 2 or len(words[1]) < 2 or len(words[1]) - len(words[0]) not in (0, 1):
        return False
    return NUMBER.fullmatch(words[1][-1]) is not None
