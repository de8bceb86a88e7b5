"""An archive becomes the h5ad of what lies in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import anndata
import numpy as np
import pytest
from anndata import AnnData

from scviz.datasets.arriving import readers
from scviz.datasets.arriving.archive import convert_archive
from scviz.datasets.arriving.contract import Arrival, Choices
from scviz.errors import UnreadableFileError
from scviz.progress import silent
from tests.datasets.market_files import LIMIT, barcodes, ids, made, write_10x
from tests.datasets.test_packed import files_of, zipped

COUNTS = made()


@pytest.fixture(autouse=True)
def _folders_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(readers.READERS, "mtx_folder", "scviz.datasets.arriving.folder:read_folder")


def converted(path: Path) -> tuple[AnnData, Arrival]:
    home = path.parent / "draft"
    home.mkdir()
    target = home / "source.h5ad"
    arrival = convert_archive(path, Choices(), target=target, limit=LIMIT, report=silent)
    assert [item.name for item in home.iterdir()] == ["source.h5ad"]
    return anndata.read_h5ad(target), arrival


def test_a_zip_of_cell_ranger_becomes_an_h5ad(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cells.zip", files_of(write_10x(tmp_path / "made", COUNTS)))
    adata, arrival = converted(path)
    assert np.array_equal(adata.X.toarray(), COUNTS)
    assert adata.obs_names.tolist() == barcodes()
    assert adata.var_names.tolist() == ids()
    assert arrival.notes[0] == "cells.zip was unpacked."


def test_an_h5ad_in_an_archive_is_taken_as_it_is(tmp_path: Path) -> None:
    AnnData(COUNTS.astype(np.float32)).write_h5ad(tmp_path / "made.h5ad")
    path = zipped(tmp_path / "cells.zip", {"deep/cells.h5ad": (tmp_path / "made.h5ad").read_bytes()})
    adata, arrival = converted(path)
    assert np.array_equal(adata.X, COUNTS)
    assert arrival.notes == ("cells.zip was unpacked, and cells.h5ad in it read.",)


def test_an_archive_without_cells_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cells.zip", {"README.md": b"words"})
    with pytest.raises(UnreadableFileError, match="cells is a folder without cells"):
        converted(path)


def test_what_is_unpacked_waits_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual place for temporary files may be small, or memory."""
    path = zipped(tmp_path / "cells.zip", files_of(write_10x(tmp_path / "made", COUNTS)))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    arrived = readers.arrive(path, tmp_path / "shelf", content=lambda: "one", limit=LIMIT)
    assert arrived.arrival is not None
    assert [one.name for one in arrived.path.parent.iterdir()] == ["source.h5ad", "arrival.json"]
    assert tempfile.tempdir == str(tmp_path / "not there")
