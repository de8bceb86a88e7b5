"""The cells: which genes are read, which cells train, choose and judge, and how cells are varied while training.

**Genes.** Every protein-coding gene of HGNC's table that one of the five files lists. Of the file that judges, its list
of genes is used and no count.

**Cells.** Donors of the Kang study are held out whole, from both of its files, which share cells; cells of no known
donor are left out. Two donors choose, two others judge, and so does one whole file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from scviz.datasets.gene_table import PROTEIN_CODING, gene_table
from scviz.datasets.readers import open_file, read_counts
from scviz.foundation.vocab import GeneVocab
from scviz.workspace import Workspace

SOURCES = {
    "pbmc_sorted_3500": "blood cells sorted by antibodies (Zheng et al. 2017, 10x Genomics, CC BY 4.0)",
    "kang_ifnb_2000": "blood cells of lupus patients, with and without interferon (Kang et al. 2018, GSE96583)",
    "kang_ctrl_8684": "more of these without interferon (GSE96583)",
    "cellline_mixology": "lung cancer cell lines (Tian et al. 2019, GSE118767; files under MIT)",
}
"""Files that train, and where they come from."""
JUDGE = "pbmc3k_labelled"
"""The file of which no cell trains or chooses."""
CHOOSING, JUDGING = ("1016", "101"), ("1488", "107")
"""Donors of the Kang files that are held out."""
PARTS = ("train", "choose", "donors", "dataset")
TARGET_SUM = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Cells on the genes of the models."""

    genes: tuple[str, ...]
    """V symbols."""
    ensembl: tuple[str, ...]
    """V ids; empty where a gene has none."""
    parts: Mapping[str, ad.AnnData]
    """By name in PARTS: (N, V) counts; `file`, `donor` and `cell_type` of each cell."""
    listed: Mapping[str, NDArray[np.bool_]]
    """(V,) which genes each file of SOURCES lists."""
    trained_on: tuple[str, ...]
    """Ids of the files whose cells train."""


def read_corpus(data: Path, state: Path) -> Corpus:
    """Open the files, find their genes and split their cells.

    Parameters
    ----------
    data
        Folder of `<name>/<name>.h5ad`.
    state
        Folder in which they are kept opened.
    """
    workspace = Workspace(state / "home")
    found = {info.name: info.id for info in workspace.datasets()}
    for name in (*SOURCES, JUDGE):
        found.setdefault(name, "") or found.update(
            {name: open_file(data / name / f"{name}.h5ad", workspace, name=name).id}
        )
    files = {name: read_counts(workspace.dataset_folder(found[name])) for name in (*SOURCES, JUDGE)}
    table = gene_table("human")
    coding = np.flatnonzero(table.biotypes == PROTEIN_CODING)
    every = _vocab([table.symbols[place] for place in coding])
    columns = {name: every.column_tokens(cells.var) for name, cells in files.items()}
    chosen = np.unique(np.concatenate([tokens[tokens >= 0] for tokens in columns.values()]))
    place_of = np.full(len(every), -1)
    place_of[chosen] = np.arange(len(chosen))
    placed = {name: np.where(own >= 0, place_of[own], -1) for name, own in columns.items()}
    genes = [every.genes[place] for place in chosen]
    cells = {name: _laid_out(files[name], placed[name], genes, name=name) for name in files}
    again = np.isin(_barcodes(cells["kang_ctrl_8684"]), _barcodes(cells["kang_ifnb_2000"], "_ctrl"))
    cells["kang_ctrl_8684"] = cells["kang_ctrl_8684"][~again]  # the other file has more of their genes
    joined = ad.concat([cells[name] for name in SOURCES], index_unique="-")
    part = _parts(joined.obs)
    return Corpus(
        genes=tuple(genes),
        ensembl=tuple(table.ensembl(int(coding[place])) for place in chosen),
        parts={name: joined[part == name].copy() for name in PARTS[:-1]} | {"dataset": cells[JUDGE]},
        listed={name: np.isin(np.arange(len(chosen)), placed[name]) for name in SOURCES},
        trained_on=tuple(found[name] for name in SOURCES),
    )


def read_files(state: Path) -> dict[str, ad.AnnData]:
    """Give the files as they are, opened before, with all their genes."""
    workspace = Workspace(state / "home")
    return {
        info.name: read_counts(workspace.dataset_folder(info.id))
        for info in workspace.datasets()
        if info.name in (*SOURCES, JUDGE)
    }


def _vocab(genes: list[str]) -> GeneVocab:
    return GeneVocab(genes=tuple(genes), ids=np.arange(len(genes)), special={}, kind="symbol")


def _barcodes(cells: ad.AnnData, ending: str = "") -> list[str]:
    """Give the barcodes of the cells whose names end so; (N,) "" for others."""
    return [name[:14] if name.endswith(ending) else "" for name in cells.obs_names]


def _laid_out(cells: ad.AnnData, places: NDArray[np.int64], genes: list[str], *, name: str) -> ad.AnnData:
    """Lay a file out on the genes of the models, (N, V); columns of one gene are summed."""
    known = np.flatnonzero(places >= 0)
    moves = sparse.csr_matrix(
        (np.ones(len(known), np.float32), (known, places[known])), shape=(len(places), len(genes))
    )
    counts = sparse.csr_matrix(sparse.csr_matrix(cells.X, dtype=np.float32) @ moves)
    types = cells.obs["cell_type" if "cell_type" in cells.obs else "cell_line"].astype(str)
    if "cell_type_source" in cells.obs:
        types = types.where(cells.obs["cell_type_source"].astype(str) == "author", "")
    donor = cells.obs["donor"].astype(str) if "donor" in cells.obs else pd.Series("", index=cells.obs_names)
    obs = pd.DataFrame({"file": name, "cell_type": types, "donor": donor}, index=cells.obs_names)
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes))


def _parts(obs: pd.DataFrame) -> NDArray[np.str_]:
    """Say for each cell of SOURCES what it is for, (N,): "train", "choose", "donors" or, of no donor, ""."""
    donor, kang = obs["donor"].to_numpy(str), obs["file"].str.startswith("kang").to_numpy()
    part = np.where(kang & ~np.char.isdigit(donor), "", "train")
    part = np.where(np.isin(donor, CHOOSING), "choose", part)
    return np.asarray(np.where(np.isin(donor, JUDGING), "donors", part), dtype=np.str_)


def log_expression(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale cells to 10,000 counts and take log1p, (N, V)."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.csr_matrix(sparse.diags(TARGET_SUM / np.where(totals > 0, totals, 1)) @ counts)
    return scaled.log1p().astype(np.float32)


def varied(counts: sparse.csr_matrix, rng: np.random.Generator) -> sparse.csr_matrix:
    """Draw cells as shallower measurements, with other lists of genes, would have them, (N, V).

    Half of the cells keep a share of their counts, from 0.2 to 1; in half of them, up to 30 % of the genes drop out.
    """
    drawn = counts.copy()
    per_cell = np.diff(drawn.indptr)
    share = np.where(rng.random(len(per_cell)) < 0.5, rng.uniform(0.2, 1.0, len(per_cell)), 1.0)
    lost = np.where(rng.random(len(per_cell)) < 0.5, rng.uniform(0.0, 0.3, len(per_cell)), 0.0)
    left = rng.binomial(drawn.data.astype(np.int64), np.repeat(share, per_cell))
    drawn.data = (left * (rng.random(len(left)) >= np.repeat(lost, per_cell))).astype(np.float32)
    drawn.eliminate_zeros()
    return drawn
