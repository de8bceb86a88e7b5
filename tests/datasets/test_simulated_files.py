"""Simulated screens in a workspace: what an open one says, and what a measured one does not."""
# ruff: noqa: F811 - a fixture has the name of an argument

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest

from scviz.datasets.readers import open_file, read_counts
from scviz.datasets.simulated import simulation, truth_of
from scviz.datasets.simulator import SimulatedScreen, open_simulated, true_model
from scviz.errors import DataError
from scviz.workspace import Workspace
from tests.datasets.test_simulator import oracle_mean, tiny  # noqa: F401 - a fixture


def test_an_open_screen_says_that_it_is_simulated_and_keeps_its_truth(
    tiny: SimulatedScreen, workspace: Workspace, tmp_path: Path
) -> None:
    info = open_simulated(simulation("tiny"), workspace, tmp_path)
    assert (info.simulated, info.demo, info.n_cells, info.n_genes) == ("tiny", False, 840, 230)
    assert "simulated" in info.name.lower()
    assert "These cells are simulated" in info.history[0]
    assert (read_counts(workspace.dataset_folder(info.id)).X != tiny.adata.X).nnz == 0
    truth = truth_of(workspace.dataset_folder(info.id))
    network = tiny.model.network
    assert list(truth.source) == [network.genes[i] for i in network.source]
    assert list(truth.target) == [network.genes[i] for i in network.target]
    assert np.array_equal(truth.a, network.a)
    assert np.array_equal(truth.sign, np.sign(network.a))
    assert truth.pathway["P1R1"] == 0
    assert truth.pathway[network.genes[-1]] == network.pathway[-1] == -1
    assert oracle_mean(true_model(truth.simulation), ("P1R1",)) == pytest.approx(
        oracle_mean(tiny.model, ("P1R1",))
    )
    assert open_simulated(simulation("tiny"), workspace, tmp_path).id == info.id
    assert not list(tmp_path.glob("*.h5ad"))


def test_a_copy_of_a_simulated_file_is_still_simulated(
    tiny: SimulatedScreen, workspace: Workspace, tmp_path: Path
) -> None:
    tiny.adata[:100].write_h5ad(tmp_path / "my_cells.h5ad")
    assert open_file(tmp_path / "my_cells.h5ad", workspace).simulated == "tiny"


def test_measured_cells_have_no_truth(adata: anndata.AnnData, workspace: Workspace, tmp_path: Path) -> None:
    for number, uns in enumerate(({}, {"truth": {"edges": "x"}}, {"truth": {"simulation": "{}"}})):
        adata.uns = uns
        adata.write_h5ad(tmp_path / "cells.h5ad")
        info = open_file(tmp_path / "cells.h5ad", workspace, name=f"cells {number}")
        assert info.simulated == ""
        with pytest.raises(DataError, match="Nobody knows the network") as refusal:
            truth_of(workspace.dataset_folder(info.id))
        assert "simulated screen" in refusal.value.hint


# options
