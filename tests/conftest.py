"""Small things that many tests need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from scipy.sparse import csr_matrix

from scviz.jobs.queue import RunQueue
from scviz.progress import Report, silent
from scviz.settings import ROOT
from scviz.tasks.context import Context
from scviz.workspace import CheckpointInfo, Workspace
from scviz.workspace.store import write_checkpoint_info

if TYPE_CHECKING:
    from scviz.foundation.model import FoundationModel

settings.register_profile("shared machine", deadline=None)  # how long a case takes says nothing there
settings.load_profile("shared machine")

TYPES = ("B cell", "NK cell", "T cell")


@pytest.fixture
def adata() -> anndata.AnnData:
    """60 cells x 200 genes of three planted types: raw counts, of which 20 genes each tell a type from the others."""
    rng = np.random.default_rng(0)
    n_cells, n_genes = 60, 200
    types = np.arange(n_cells) % len(TYPES)
    means = np.tile(rng.gamma(0.7, 1.0, n_genes), (n_cells, 1))  # (N, G)
    for number in range(len(TYPES)):
        marker = slice(20 * number, 20 * number + 20)
        means[:, marker] = np.where(types == number, 6.0, 0.3)[:, None]
    depth = rng.uniform(0.7, 1.5, n_cells)[:, None]
    counts = rng.poisson(means * depth).astype(np.float32)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical([TYPES[number] for number in types]),
            "donor": pd.Categorical([f"donor {i % 4}" for i in range(n_cells)]),
            "percent_mt": rng.uniform(0, 10, n_cells),
        },
        index=pd.Index([f"CELL{i:02d}-1" for i in range(n_cells)], dtype=object),
    )
    var = pd.DataFrame(
        {"ensembl_id": [f"ENSG9{i:010d}" for i in range(1, n_genes + 1)]},
        index=pd.Index([f"GENE{i}" for i in range(1, n_genes + 1)], dtype=object),
    )
    return anndata.AnnData(X=csr_matrix(counts), obs=obs, var=var)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "home")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder beside the project with real data, which need not be there."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder `shared` with real data is not beside the project")
    return folder


@dataclass(frozen=True)
class Opened:
    """A workspace with an open dataset and an untrained model that knows its genes."""

    workspace: Workspace
    dataset: str
    checkpoint: str

    def context(self, run: str = "one", report: Report = silent) -> Context:
        """The surroundings of a run."""
        return Context(workspace=self.workspace, report=report, folder=self.workspace.run_folder(run))


def keep_model(opened: Opened, model: FoundationModel, title: str = "Tiny") -> Opened:
    """The same cells, and another model among the weights of the workspace."""
    name = model.card.name
    folder = opened.workspace.home / "checkpoints" / name / "tiny"
    model.save(folder)
    checkpoint = CheckpointInfo(
        id=f"{name}/tiny",
        model=name,
        name=title,
        description="Random weights.",
        licence="none",
        n_parameters=1,
        n_genes=len(model.vocab),
        size_mb=0.1,
    )
    write_checkpoint_info(checkpoint, folder)
    return Opened(opened.workspace, opened.dataset, checkpoint.id)


def keep_stranger(opened: Opened, kind: str = "geneformer") -> str:
    """Put weights that know none of the genes among those of the workspace; returns their id."""
    from scviz.models import model_class

    var = pd.DataFrame(index=[f"STRANGE{i}" for i in range(40)])
    cells = anndata.AnnData(csr_matrix(np.ones((8, 40), dtype=np.float32)), var=var)
    folder = opened.workspace.home / "checkpoints" / kind / "stranger"
    model_class(kind).untrained(cells, "tiny").save(folder)
    known = opened.workspace.checkpoint(opened.checkpoint)
    stranger = replace(known, id=f"{kind}/stranger", model=kind, name="Stranger")
    write_checkpoint_info(stranger, folder)
    return stranger.id


@pytest.fixture
def opened(adata: anndata.AnnData, workspace: Workspace, tmp_path: Path) -> Opened:
    """The 60 cells as an open dataset, and a tiny model."""
    import torch

    from scviz.datasets.readers import open_file
    from scviz.models.geneformer.model import Geneformer

    adata.write_h5ad(tmp_path / "cells.h5ad")
    info = open_file(tmp_path / "cells.h5ad", workspace, name="cells")
    torch.manual_seed(0)
    return keep_model(Opened(workspace, info.id, ""), Geneformer.untrained(adata, "tiny"))


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are kept in the table and never handed to an engine; none is started, nor kept waiting."""
    monkeypatch.setattr(RunQueue, "_hand_in", lambda *_: None)
    monkeypatch.setattr(RunQueue, "warm_up", lambda _: None)
