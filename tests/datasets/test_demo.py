"""The demo data are real cells with exact counts."""

from __future__ import annotations

import numpy as np

from scviz.datasets.demo import demo_check, demo_path, open_demo
from scviz.datasets.readers import read_counts
from scviz.workspace import Workspace


def test_recovered_counts_agree_with_the_totals_of_the_file() -> None:
    assert "174,400 of 174,400 are also" in demo_check(demo_path())


def test_the_demo_dataset_is_opened(workspace: Workspace) -> None:
    info = open_demo(workspace)
    assert (info.name, info.n_cells, info.n_genes, info.demo) == ("PBMC demo (700 cells)", 700, 765, True)
    assert info.column("bulk_labels").n_values == 10
    assert info.columns[0].name == "bulk_labels"
    assert "n_counts" in info.history[0]
    counts = read_counts(workspace.dataset_folder(info.id)).X
    assert np.all(counts.data == np.rint(counts.data))
    assert counts.data.max() == 259
