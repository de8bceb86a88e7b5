"""Files with the quirks of one writer or another that neither its name nor its format tells."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from tests.badfiles.case import BARCODES, COUNTS, GENES, IDS, N_CELLS, Case, Make, cells
from tests.badfiles.encodings import TEXT, as_it_is, edited
from tests.badfiles.formats import HALF, KIND, zipped
from tests.badfiles.values import file, logs


def _tenx(counts: np.ndarray, barcodes: tuple[str, ...]) -> bytes:
    """HDF5 of Cell Ranger 3."""
    found = io.BytesIO()
    matrix = sparse.csc_matrix(counts.T.astype(np.int32))
    with h5py.File(found, "w") as h5:
        node = h5.create_group("matrix")
        node["data"], node["indices"], node["indptr"] = matrix.data, matrix.indices, matrix.indptr
        node["shape"] = np.array(matrix.shape)
        node["barcodes"] = np.array(barcodes, dtype="S18")
        for name, values in (("id", IDS), ("name", GENES), ("feature_type", KIND)):
            node[f"features/{name}"] = np.array(values, dtype="S20")
    return found.getvalue()


def _raw_tar(here: Path) -> Path:
    """GSE..._RAW.tar whose first member is HDF5, which begins at the 512th byte of the archive."""
    path = here / "GSE1_RAW.tar"
    with tarfile.open(path, "w") as archive:
        for sample, part in (("GSM1_a", slice(0, HALF)), ("GSM2_b", slice(HALF, None))):
            content = _tenx(COUNTS[part], BARCODES[part])
            member = tarfile.TarInfo(f"{sample}_filtered_feature_bc_matrix.h5")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def loom(values: np.ndarray, rows: dict[str, object], columns: dict[str, object]) -> Make:
    """A loom file with these attributes."""

    def make(here: Path) -> Path:
        with h5py.File(here / "cells.loom", "w") as h5:
            h5["matrix"] = values.astype(np.float32)
            h5.create_group("layers")
            for group, attributes in (("row_attrs", rows), ("col_attrs", columns)):
                for name, one in attributes.items():
                    h5[f"{group}/{name}"] = np.array(one, dtype=object).astype(TEXT)
        return here / "cells.loom"

    return make


def _numbered(h5: h5py.File) -> None:
    del h5["var/_index"]
    h5["var/_index"] = np.array([str(i) for i in range(len(GENES))], dtype="S3")
    h5["var"].create_dataset("feature_name", data=GENES, dtype=TEXT)
    h5["var"].attrs["column-order"] = ["feature_name"]


def _short_column(h5: h5py.File) -> None:
    del h5["obs/n"]
    h5["obs/n"] = np.arange(N_CELLS - 3)


def _swapped(here: Path) -> Path:
    """A zip of an h5ad whose rows are genes."""
    one = cells()
    names = {"obs": pd.DataFrame(index=one.var_names), "var": pd.DataFrame(index=one.obs_names)}
    path = edited(as_it_is, AnnData(X=sparse.csr_matrix(one.X.T), **names))(here)
    content = path.read_bytes()
    path.unlink()
    return zipped({"cells.h5ad": content})(here)


CASES = (
    Case(
        name="HDF5 of two samples in a tar of GEO",
        make=_raw_tar,
        genes=IDS,
        cells=None,
        columns={"sample": ["GSM1_a"] * HALF + ["GSM2_b"] * HALF},
        said=("was unpacked", "2 samples"),
    ),
    Case(
        name="loom with a name of its own for genes",
        make=loom(COUNTS.T, {"kind": ["a"] * len(GENES), "my_genes": GENES}, {"my_cells": BARCODES}),
        said=("named by the attribute my_genes", "named by the attribute my_cells"),
    ),
    Case(
        name="loom the other way round",
        make=loom(COUNTS, {"CellID": BARCODES}, {"Gene": GENES}),
        said=("Rows were read as genes",),
    ),
    Case(name="loom whose attributes are swapped", make=loom(COUNTS, {"Gene": BARCODES}, {"CellID": GENES})),
    Case(name="a swapped h5ad in a zip", make=_swapped, said=("Rows were read as genes",)),
    Case(
        name="numbers for names of genes",
        make=edited(_numbered),
        said=("that the file numbers were called by their symbols",),
    ),
    Case(name="a column with fewer values than cells", make=edited(_short_column), said=("left out: n",)),
    Case(
        name="sampled counts beside logarithms",
        make=file(logs(), downsampled=COUNTS // 2),
        said=("logarithms in X",),
    ),
)
