"""An archive: unpacked, and what lies in it read as its format is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from scviz.datasets.arriving.contract import Arrival, Choices
from scviz.datasets.arriving.packed import PACKED, unpack
from scviz.datasets.arriving.readers import arrive
from scviz.datasets.formats import inside
from scviz.progress import Report


def convert_archive(path: Path, choices: Choices, *, target: Path, limit: int, report: Report) -> Arrival:
    """Write the cells of an archive as h5ad.

    Parameters
    ----------
    path
        A zip or tar archive or a compressed file that its user may open.
    choices
        Where the user knows better than the reader of what lies in it.
    target
        The h5ad that is written. What is unpacked lies beside it meanwhile.
    limit
        Bytes that it may unpack to.
    report
        Told how far it is.

    Raises
    ------
    UnreadableFileError
        If it is damaged, or holds no cells or several files of them.
    UnsafeFileError
        If it unpacks to too much or leads outside itself.
    """
    with TemporaryDirectory(dir=target.parent) as home:
        folder = Path(home) / "content" / (PACKED.sub("", path.name) or path.name)
        folder.mkdir(parents=True)
        unpack(path, folder, limit=limit, report=report)
        cells = inside(folder)
        arrived = arrive(
            cells, Path(home) / "shelf", choices, content=lambda: "content", limit=limit, report=report
        )
        arrived.path.replace(target)
    note = f"{path.name} was unpacked" + (f", and {cells.name} in it read." if cells != folder else ".")
    arrival = arrived.arrival or Arrival(format="an h5ad file in an archive")
    return replace(arrival, notes=(note, *arrival.notes))
