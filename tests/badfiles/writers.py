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
from tests.badfiles.formats import HALF, KIND, table, zipped
from tests.badfiles.values import SUMS, file, logs, normalized


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


def _dense(values: np.ndarray) -> AnnData:
    """The cells with values of which none is zero."""
    adata = cells()
    adata.X = values.astype(np.float32)
    return adata


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


def _with_tallies(frame: pd.DataFrame) -> str:
    """As htseq-count ends its tables."""
    names = ("no_feature", "ambiguous", "too_low_aQual", "not_aligned", "alignment_not_unique")
    ends = pd.DataFrame(7, index=[f"__{name}" for name in names], columns=frame.columns)
    return pd.concat([frame, ends]).to_csv(sep="\t")


def _gct(frame: pd.DataFrame) -> str:
    """As GenePattern writes it."""
    described = frame.rename_axis("NAME")
    described.insert(0, "Description", list(frame.index))
    return f"#1.2\n{len(frame)}\t{frame.shape[1]}\n" + described.to_csv(sep="\t")


def _measured(frame: pd.DataFrame) -> str:
    """Genes in rows, below two rows that describe the cells."""
    rows = pd.DataFrame(
        [[1, 2, 3] * 16, [0.5, 0.25] * 24], index=["cluster", "percent.mt"], columns=frame.columns
    )
    return pd.concat([rows, frame.astype(object)]).to_csv()


TITLE = "Raw counts of cells of the blood"
CASES = (
    Case(name="a title above a table", make=table(lambda f: f"{TITLE}\n\n{f.to_csv()}", turned=True)),
    Case(
        name="a title with empty fields beside it",
        make=table(lambda f: f"{TITLE}{',' * N_CELLS}\n{f.to_csv()}", turned=True),
        said=("passed over as comments or a title",),
    ),
    Case(name="comments without a mark", make=table(lambda f: f"# of 2020\n# blood\n{f.to_csv()}")),
    Case(name="GCT", make=table(_gct, turned=True)),
    Case(name="bars between fields", make=table(lambda f: f.to_csv(sep="|"), turned=True)),
    Case(
        name="tallies of htseq-count",
        make=table(_with_tallies, turned=True),
        said=("left out of the counts: 5 sums of what belongs to no gene",),
    ),
    Case(
        name="measures of cells among genes",
        make=table(lambda f: f.assign(donor_age=34, my_score=0.5).to_csv()),
        columns={"my_score": [0.5] * N_CELLS, "donor_age": [34.0] * N_CELLS},
    ),
    Case(
        name="measures of cells above genes",
        make=table(_measured, turned=True),
        columns={"percent.mt": [0.5, 0.25] * 24},
    ),
    Case(
        name="CPM without decimals",
        make=file(np.round(normalized(1e6))),
        counts=None,
        said=("add up to about 1,000,000", "choose the matrix yourself"),
    ),
    Case(
        name="log2 CPM with half a count added, as limma's voom",
        make=edited(as_it_is, _dense(np.log2((COUNTS + 0.5) / (SUMS + 1) * 1e6))),
    ),
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
