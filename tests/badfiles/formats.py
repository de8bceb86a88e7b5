"""The same cells in the formats of other writers, packed or not, one sample or two."""

from __future__ import annotations

import gzip
import io
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import io as scipy_io
from scipy import sparse

from scviz.datasets.choices import Opening
from tests.badfiles.case import BARCODES, COUNTS, GENES, IDS, Case, Make, cells

TEXT = h5py.string_dtype()
HALF = len(BARCODES) // 2


def mtx(counts: np.ndarray, *, genes_in_rows: bool = True) -> bytes:
    """A matrix in Matrix Market form."""
    found = io.BytesIO()
    matrix = sparse.coo_matrix(counts.T if genes_in_rows else counts)
    scipy_io.mmwrite(found, matrix, field="integer")
    return found.getvalue()


def lines(*columns: tuple[str, ...]) -> bytes:
    """A list of names, a line each, columns with tabs between."""
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)).encode()


KIND = ("Gene Expression",) * len(GENES)
FEATURES = lines(IDS, tuple(GENES), KIND)
OLD_GENES = lines(IDS, tuple(GENES))
V3 = {
    "matrix.mtx.gz": gzip.compress(mtx(COUNTS)),
    "features.tsv.gz": gzip.compress(FEATURES),
    "barcodes.tsv.gz": gzip.compress(lines(BARCODES)),
}
V2 = {"matrix.mtx": mtx(COUNTS), "genes.tsv": OLD_GENES, "barcodes.tsv": lines(BARCODES)}
PARSE = {
    "count_matrix.mtx": mtx(COUNTS, genes_in_rows=False),
    "all_genes.csv": pd.DataFrame({"gene_id": IDS, "gene_name": GENES, "genome": "hg38"})
    .to_csv(index=False)
    .encode(),
    "cell_metadata.csv": pd.DataFrame({"bc_wells": BARCODES, "sample": "all"}).to_csv(index=False).encode(),
}
KALLISTO = {
    "cells_x_genes.mtx": mtx(COUNTS, genes_in_rows=False),
    "cells_x_genes.genes.txt": lines(tuple(GENES)),
    "cells_x_genes.barcodes.txt": lines(BARCODES),
}
ALEVIN = {
    "quants_mat.mtx": mtx(COUNTS, genes_in_rows=False),
    "quants_mat_rows.txt": lines(BARCODES),
    "quants_mat_cols.txt": lines(tuple(GENES)),
}
STARSOLO = {
    f"Gene/filtered/{name}": content
    for name, content in (V2 | {"features.tsv": FEATURES}).items()
    if name != "genes.tsv"
}


def folder(files: Mapping[str, bytes]) -> Make:
    """A folder of these files."""

    def make(here: Path) -> Path:
        for name, content in files.items():
            path = here / "sample" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return here / "sample"

    return make


def zipped(files: Mapping[str, bytes], inner: str = "sample/") -> Make:
    def make(here: Path) -> Path:
        with zipfile.ZipFile(here / "sample.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(f"{inner}{name}", content)
            archive.writestr("__MACOSX/._sample", b"junk")
        return here / "sample.zip"

    return make


def tarred(files: Mapping[str, bytes]) -> Make:
    def make(here: Path) -> Path:
        with tarfile.open(here / "sample.tar.gz", "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"filtered_feature_bc_matrix/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return here / "sample.tar.gz"

    return make


def geo(here: Path) -> Path:
    """Two samples of GEO with prefixes, their features in one file."""
    files = {"GSE1_features.tsv.gz": gzip.compress(FEATURES)}
    for sample, part in (("GSM1_ctrl", slice(0, HALF)), ("GSM2_stim", slice(HALF, None))):
        files[f"{sample}_matrix.mtx.gz"] = gzip.compress(mtx(COUNTS[part]))
        files[f"{sample}_barcodes.tsv.gz"] = gzip.compress(lines(BARCODES[part]))
    return folder(files)(here)


def tenx_v3(here: Path) -> Path:
    with h5py.File(here / "cells.h5", "w") as file:
        matrix = sparse.csc_matrix(COUNTS.T.astype(np.int32))
        node = file.create_group("matrix")
        node["data"], node["indices"], node["indptr"] = matrix.data, matrix.indices, matrix.indptr
        node["shape"] = np.array(matrix.shape)
        node["barcodes"] = np.array(BARCODES, dtype="S18")
        for name, values in (("id", IDS), ("name", GENES), ("feature_type", KIND)):
            node[f"features/{name}"] = np.array(values, dtype="S20")
        node["features/genome"] = np.array(["GRCh38"] * len(GENES), dtype="S6")
    return here / "cells.h5"


def tenx_v2(here: Path) -> Path:
    with h5py.File(here / "cells.h5", "w") as file:
        matrix = sparse.csc_matrix(COUNTS.T.astype(np.int32))
        node = file.create_group("GRCh38")
        node["data"], node["indices"], node["indptr"] = matrix.data, matrix.indices, matrix.indptr
        node["shape"] = np.array(matrix.shape)
        for name, values in (("barcodes", BARCODES), ("genes", IDS), ("gene_names", GENES)):
            node[name] = np.array(values, dtype="S20")
    return here / "cells.h5"


def loom(here: Path) -> Path:
    with h5py.File(here / "cells.loom", "w") as file:
        file["matrix"] = COUNTS.T.astype(np.float32)
        file.create_group("layers")
        for name in ("row_graphs", "col_graphs"):
            file.create_group(name)
        file["row_attrs/Gene"] = np.array(GENES, dtype=object).astype(TEXT)
        file["col_attrs/CellID"] = np.array(BARCODES, dtype=object).astype(TEXT)
    return here / "cells.loom"


def zarr(*, version: int, packed: bool = False) -> Make:
    def make(here: Path) -> Path:
        import anndata

        anndata.settings.zarr_write_format = version
        try:
            with warnings.catch_warnings(action="ignore"):  # of a format that is to go, or not settled
                cells().write_zarr(here / "cells.zarr")
        finally:
            anndata.settings.reset("zarr_write_format")
        if not packed:
            return here / "cells.zarr"
        with zipfile.ZipFile(here / "cells.zarr.zip", "w") as archive:
            for path in sorted((here / "cells.zarr").rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(here / "cells.zarr"))
        return here / "cells.zarr.zip"

    return make


def h5mu(here: Path) -> Path:
    """Genes and antibodies of the same cells."""
    other = cells()[:, :5].copy()
    other.var_names = [f"CD{i}_TotalSeqB" for i in range(5)]
    for name, adata in (("rna", cells()), ("prot", other)):
        adata.write_h5ad(here / f"{name}.h5ad")
    with h5py.File(here / "cells.h5mu", "w") as file:
        for name in ("rna", "prot"):
            with h5py.File(here / f"{name}.h5ad", "r") as one:
                group = file.create_group(f"mod/{name}")
                group.attrs.update(one.attrs)
                for key in one:
                    one.copy(key, group)
        with h5py.File(here / "rna.h5ad", "r") as one:
            one.copy("obs", file)
            one.copy("var", file)
        file.attrs["encoding-type"] = "MuData"
        file["mod"].attrs["mod-order"] = ["rna", "prot"]
    return here / "cells.h5mu"


def table(
    write: Callable[[pd.DataFrame], str],
    name: str = "counts.csv",
    *,
    turned: bool = False,
    packed: bool = False,
) -> Make:
    """The counts as a table of text."""

    def make(here: Path) -> Path:
        frame = pd.DataFrame(COUNTS, index=list(BARCODES), columns=GENES)
        content = write(frame.T if turned else frame).encode()
        path = here / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)
        return path

    return make


def _from_r(frame: pd.DataFrame) -> str:
    """As write.table of R has it: no field over the names of rows."""
    text = frame.to_csv(sep="\t")
    return text.removeprefix("\t")


OTHERS = {**V3, "matrix.mtx.gz": gzip.compress(mtx(COUNTS)[:200])}
CASES = (
    Case(name="folder of Cell Ranger 3", make=folder(V3), said=("Cell Ranger 3",), genes=IDS),
    Case(name="folder of Cell Ranger 2", make=folder(V2), said=("Cell Ranger 2",), genes=IDS),
    Case(name="zip of a 10x folder", make=zipped(V3), said=("was unpacked",), genes=IDS),
    Case(name="zip without a folder", make=zipped(V3, inner=""), genes=IDS),
    Case(name="tar.gz of a 10x folder", make=tarred(V3), genes=IDS),
    Case(name="10x HDF5, version 3", make=tenx_v3, genes=IDS),
    Case(name="10x HDF5, version 2", make=tenx_v2, genes=IDS),
    Case(
        name="two samples of GEO",
        make=geo,
        genes=IDS,
        cells=None,
        columns={"sample": ["GSM1_ctrl"] * HALF + ["GSM2_stim"] * HALF},
        said=("2 samples",),
    ),
    Case(name="Parse", make=folder(PARSE), genes=IDS),
    Case(name="kallisto | bustools", make=folder(KALLISTO)),
    Case(name="alevin-fry", make=folder(ALEVIN)),
    Case(name="STARsolo", make=folder(STARSOLO), genes=IDS),
    Case(name="loom", make=loom, said=("loom",)),
    Case(name="zarr 2", make=zarr(version=2)),
    Case(name="zarr 3", make=zarr(version=3)),
    Case(name="zarr in a zip", make=zarr(version=2, packed=True)),
    Case(name="h5mu", make=h5mu, said=("rna",)),
    Case(name="csv, a row for each cell", make=table(lambda f: f.to_csv())),
    Case(name="csv, a row for each gene", make=table(lambda f: f.to_csv(), turned=True)),
    Case(name="tsv of R", make=table(_from_r, "counts.tsv", turned=True)),
    Case(name="semicolons, packed", make=table(lambda f: f.to_csv(sep=";"), packed=True, turned=True)),
    Case(
        name="Windows lines and a byte mark",
        make=table(lambda f: "\ufeff" + f.to_csv(lineterminator="\r\n")),
    ),
    Case(
        name="csv, turned by hand",
        make=table(lambda f: f.to_csv(), turned=True),
        choices=Opening(turned=True),
    ),
    Case(
        name="decimal commas",
        make=table(lambda f: (f + 0.5).to_csv(sep=";", decimal=",")),
        counts=None,
        said=("decimal comma",),
    ),
    Case(name="a matrix without names", make=folder({"matrix.mtx": mtx(COUNTS)}), counts=None),
    Case(name="a matrix cut off", make=folder(OTHERS), counts=None),
    Case(
        name="fewer barcodes than cells",
        make=folder({**V2, "barcodes.tsv": lines(BARCODES[:-2])}),
        counts=None,
    ),
    Case(name="an archive of nothing", make=zipped({"readme.txt": b"hello"}), counts=None),
)
