"""Which reader reads which format; what it gives is kept as h5ad until it is opened."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import cast
from uuid import uuid4

from scviz.datasets.arriving.contract import Arrival, Choices, Reader
from scviz.datasets.arriving.writing import write_incoming
from scviz.datasets.formats import inside, refuse_other
from scviz.progress import Progress, Report, silent
from scviz.workspace.records import fingerprint, read_json, write_json

ARRIVED, ARRIVAL = "source.h5ad", "arrival.json"

Convert = Callable[..., Arrival]
"""Takes what a Reader takes and `target`, the h5ad that it writes itself."""

HERE = "scviz.datasets.arriving"
READERS: dict[str, str] = {
    "10x": f"{HERE}.tenx:read_10x",
    "mtx": f"{HERE}.folder:read_matrix",
    "mtx_folder": f"{HERE}.folder:read_folder",
    "loom": f"{HERE}.loom:read_loom",
    "h5seurat": f"{HERE}.h5seurat:read_h5seurat",
    "table": f"{HERE}.table:read_table",
    "rds": f"{HERE}.rds:read_rds",
}
"""Module and name of the reader of each key of `formats.format_of`; they are loaded when they are needed."""
COUNTED = ("10x", "mtx_folder")
"""Formats of counts of molecules."""
CONVERTERS: dict[str, str] = {
    "archive": f"{HERE}.archive:convert_archive",
    "zarr": f"{HERE}.zarr_copy:copy_zarr",
    "h5mu": f"{HERE}.h5mu:copy_h5mu",
}
"""The same of those that write the h5ad themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A file as h5ad."""

    path: Path
    arrival: Arrival | None
    """What was decided on reading; None for a file that was h5ad already."""


def readable() -> tuple[str, ...]:
    """Return the keys of all formats that can be read."""
    return ("h5ad", *READERS, *CONVERTERS)


def arrive(
    path: Path,
    shelf: Path,
    choices: Choices | None = None,
    *,
    content: Callable[[], str],
    limit: int,
    report: Report = silent,
) -> Arrived:
    """Return a file as h5ad: as it is, or turned into one, once for each content and choice.

    Parameters
    ----------
    path
        A file or folder that its user may open.
    shelf
        Folder in which files that were turned are kept.
    choices
        Where the user knows better than the reader.
    content
        Gives the hash of the file or folder.
    limit
        Bytes that it may unpack to.
    report
        Told how far it is.

    Raises
    ------
    UnreadableFileError
        If it is of no format known here, damaged or incomplete.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    path = inside(path)
    found = refuse_other(path, readable())
    if found == "h5ad":
        return Arrived(path=path, arrival=None)
    choices = choices or Choices()
    folder = shelf / f"{content()}-{fingerprint(choices.turned, choices.part)[:8]}"
    if not (folder / ARRIVAL).exists():
        _convert(path, folder, choices, found=found, limit=limit, report=report)
    return Arrived(path=folder / ARRIVED, arrival=read_json(Arrival, folder / ARRIVAL))


def _convert(path: Path, folder: Path, choices: Choices, *, found: str, limit: int, report: Report) -> None:
    draft = folder.with_name(f".{folder.name}-{uuid4().hex}")
    draft.mkdir(parents=True)
    elsewhere, tempfile.tempdir = tempfile.tempdir, str(draft)  # what is unpacked may be too large for /tmp
    try:
        report(Progress(stage="Reading the file"))
        target = draft / ARRIVED
        if found in CONVERTERS:
            convert = cast(Convert, _loaded(CONVERTERS[found]))
            arrival = convert(path, choices, target=target, limit=limit, report=report)
        else:
            read = cast(Reader, _loaded(READERS[found]))
            arrival = write_incoming(read(path, choices, limit=limit, report=report), target, report)
        arrival = replace(arrival, counted=arrival.counted or found in COUNTED)
        write_json(arrival, draft / ARRIVAL)
        shutil.rmtree(folder, ignore_errors=True)  # one that was cut off
        draft.rename(folder)
    finally:
        tempfile.tempdir = elsewhere
        shutil.rmtree(draft, ignore_errors=True)


def _loaded(place: str) -> object:
    module, name = place.split(":")
    return getattr(import_module(module), name)
