"""Mending an open dataset: orthologs, labels that mean the same, and what is not mended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.columns import COUNTS, cell_column
from scviz.datasets.conditions import conditions_of
from scviz.datasets.readers import open_file, read_counts
from scviz.errors import MissingColumnError, RequestError
from scviz.tasks.mending import Request
from scviz.tasks.mending.run import run
from scviz.workspace import DatasetInfo, Workspace
from scviz.workspace.records import file_hash
from tests.bad_cells import context

MOUSE = (
    *("Trp53", "Stat1", "Cd3e", "Gm1992", "Septin2", "Xkr4", "Sox17", "H2-K1", "Irf1", "Nkx2-1"),
    *("Gata1", "Klf1", "Rp1", "Lypla1", "Tcea1", "Ms4a1"),
)
HUMAN = (
    *("TP53", "STAT1", "CD3E", "HLA-DRA", "SEPT2", "XKR4", "SOX17", "POU5F1", "IRF1", "NKX2-1"),
    *("GATA1", "KLF1", "C1orf112", "TAZ", "IL8", "MS4A1"),
)
RAT = tuple(f"ENSRNOG{number:011d}" for number in range(16))


def opened(workspace: Workspace, folder: Path, genes: tuple[str, ...], **columns: list[str]) -> DatasetInfo:
    counts = np.random.default_rng(0).poisson(2.0, (40, len(genes))) + np.eye(40, len(genes), dtype=int)
    obs = pd.DataFrame({name: pd.Categorical(words) for name, words in columns.items()}, index=range(40))
    obs.index = [f"cell{number}" for number in range(40)]
    cells = AnnData(X=csr_matrix(counts.astype(np.float32)), obs=obs, var=pd.DataFrame(index=list(genes)))
    cells.write_h5ad(folder / "cells.h5ad")
    return open_file(folder / "cells.h5ad", workspace, name="cells")


def test_mouse_genes_are_replaced_and_what_was_before_stays(workspace: Workspace, tmp_path: Path) -> None:
    screen = ["NT"] * 20 + ["Trp53"] * 10 + ["sgSept2-1"] * 5 + ["Stat1+Irf1"] * 5
    first = opened(workspace, tmp_path, MOUSE, guide=screen)
    counts = read_counts(workspace.dataset_folder(first.id))
    before = file_hash(workspace.dataset_folder(first.id) / COUNTS)
    result = run(Request(dataset=first.id), context(workspace))
    found = read_counts(workspace.dataset_folder(result.dataset))
    kept = [name for name in MOUSE if name not in ("Gm1992", "H2-K1", "Nkx2-1")]
    assert found.var_names[:3].tolist() == ["TP53", "STAT1", "CD3E"]
    assert np.array_equal(found.X.toarray(), counts[:, kept].X.toarray())
    info = workspace.dataset(result.dataset)
    assert (info.species, info.parent, info.history[-1]) == ("human", first.id, result.note)
    assert file_hash(workspace.dataset_folder(first.id) / COUNTS) == before
    perturbed = conditions_of(workspace.dataset_folder(info.id), "guide").mapping
    assert perturbed["Trp53"] == ("TP53",)
    assert perturbed["Stat1+Irf1"] == ("IRF1", "STAT1")
    with pytest.raises(RequestError, match="genes of human"):
        run(Request(dataset=info.id), context(workspace))


@pytest.mark.parametrize(("genes", "called"), [(HUMAN, "human"), (RAT, "rat")])
def test_genes_of_another_species_are_not_taken_for_those_of_mice(
    workspace: Workspace, tmp_path: Path, genes: tuple[str, ...], called: str
) -> None:
    first = opened(workspace, tmp_path, genes)
    with pytest.raises(RequestError, match=f"genes of {called}"):
        run(Request(dataset=first.id), context(workspace))
    assert [one.id for one in workspace.datasets()] == [first.id]


def test_perturbations_go_by_the_names_of_the_file_after_its_genes_were_renamed(
    workspace: Workspace, tmp_path: Path
) -> None:
    screen = ["AAVS1"] * 20 + ["SEPT2"] * 5 + ["TAZ"] * 5 + ["IL8_2"] * 5 + ["KO_C1orf112"] * 5
    first = opened(workspace, tmp_path, HUMAN, guide=screen)
    folder = workspace.dataset_folder(first.id)
    assert {"SEPTIN2", "TAFAZZIN", "CXCL8", "FIRRM"} <= set(read_counts(folder).var_names)
    assert conditions_of(folder, "guide").mapping == {
        "AAVS1": (),
        "SEPT2": ("SEPTIN2",),
        "TAZ": ("TAFAZZIN",),
        "IL8_2": ("CXCL8",),
        "KO_C1orf112": ("FIRRM",),
    }


def test_labels_that_are_alike_become_one_and_others_stay(workspace: Workspace, tmp_path: Path) -> None:
    words = (
        ["B cell"] * 10 + ["b cell"] * 4 + ["B_cell "] * 3 + ["T cell"] * 13 + ["CD4 1"] * 5 + ["CD41"] * 5
    )
    first = opened(workspace, tmp_path, HUMAN, cell_type=words)
    result = run(Request(dataset=first.id, what="labels", column="cell_type"), context(workspace))
    found = cell_column(workspace.dataset_folder(result.dataset), "cell_type").strings()
    assert found[:17] == ["B cell"] * 17
    assert found[17:] == words[17:]
    assert cell_column(workspace.dataset_folder(first.id), "cell_type").strings() == words
    again = Request(dataset=result.dataset, what="labels", column="cell_type")
    with pytest.raises(RequestError, match="No two labels"):
        run(again, context(workspace))


def test_a_column_that_is_not_there_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    first = opened(workspace, tmp_path, HUMAN)
    with pytest.raises(MissingColumnError):
        run(Request(dataset=first.id, what="labels", column="nowhere"), context(workspace))
    with pytest.raises(RequestError, match="No column"):
        Request(dataset=first.id, what="labels")
