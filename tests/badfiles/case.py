"""One odd file: how it is made, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.choices import Opening
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import ScvizError
from scviz.workspace import Workspace

N_CELLS = 48
GENES = (  # noqa: SIM905 - words are read more easily than a list of strings
    "CD3D CD3E IL32 CCR7 SELL LYZ S100A8 S100A9 CD14 FCGR3A MS4A7 NKG7 GNLY GZMB PRF1 MS4A1 CD79A CD79B CD74 HLA-DRA "
    "HLA-DRB1 PPBP PF4 FCER1A CST3 CD8A CD8B CD4 FOXP3 IL2RA IL7R TCF7 LEF1 CTLA4 PDCD1 LAG3 ISG15 IFI6 MX1 STAT1 "
    "MT-CO1 MT-ND1 MT-CYB RPL13 RPS12 RPLP0 ACTB GAPDH B2M MALAT1 EEF1A1 TMSB4X FTL FTH1 VIM TYROBP"
).split()
IDS = tuple(f"ENSG{10_000_000 + 7 * i:011d}" for i in range(len(GENES)))
BARCODES = tuple(
    "".join("ACGT"[(i >> (2 * k) & 3) ^ (k % 4)] for k in range(16)) + "-1" for i in range(7, 7 + N_CELLS)
)
TYPES = ("T cell", "B cell", "Monocyte")


def true_counts() -> np.ndarray:
    """(48, 56) counts of cells of different depth, some of them 1 and one gene high."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(0.8, 4.0, len(GENES)) * np.linspace(0.5, 2.5, N_CELLS)[:, None])
    counts[:, -1] = rng.integers(40, 120, N_CELLS)
    counts[:, -2] = 1
    return counts


COUNTS = true_counts()


def cells(counts: np.ndarray | None = None) -> AnnData:
    """The cells as a well-behaved AnnData."""
    values = csr_matrix((COUNTS if counts is None else counts).astype(np.float32))
    kinds = pd.Categorical([TYPES[i % 3] for i in range(N_CELLS)])
    obs = pd.DataFrame({"cell_type": kinds, "n": np.arange(N_CELLS) * 0.5}, index=list(BARCODES))
    return AnnData(X=values, obs=obs, var=pd.DataFrame(index=GENES))


Make = Callable[[Path], Path]
"""Writes a file into an empty folder and returns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An odd file with its outcome: opened with these contents, or refused in these words."""

    name: str
    make: Make
    counts: np.ndarray | None = field(default_factory=lambda: COUNTS)
    """(N, G) exact counts; None for a file that is refused."""
    genes: tuple[str, ...] = tuple(GENES)
    cells: tuple[str, ...] | None = BARCODES
    """Names of cells; None where they do not matter."""
    species: str = "human"
    said: tuple[str, ...] = ()
    """Parts of sentences of the history, or of the refusal and its hint."""
    choices: Opening = field(default_factory=Opening)
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Columns of cells with their values, (N,)."""

    def check(self, folder: Path, workspace: Workspace) -> None:
        """Make the file, open it, and compare all that is told here."""
        path = self.make(folder)
        if self.counts is None:
            self._refused(path, workspace)
            return
        info = open_file(path, workspace, choices=self.choices)
        found = read_counts(workspace.dataset_folder(info.id))
        assert found.var_names.tolist() == list(self.genes)
        assert np.array_equal(found.X.toarray(), self.counts)
        if self.cells is not None:
            assert found.obs_names.tolist() == list(self.cells)
        assert info.species == self.species
        for name, values in self.columns.items():
            assert found.obs[name].astype(type(values[0])).tolist() == list(values)
        for part in self.said:
            assert part in " ".join(info.history), info.history

    def _refused(self, path: Path, workspace: Workspace) -> None:
        with pytest.raises(ScvizError) as caught:
            open_file(path, workspace, choices=self.choices)
        told = f"{caught.value} {caught.value.hint}"
        assert caught.value.hint, "a refusal says what to do"
        for part in self.said:
            assert part in told, told
        assert not list(workspace.home.glob("datasets/*"))
