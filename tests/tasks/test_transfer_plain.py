"""The plain methods name as the same recipe does in scikit-learn and scanpy alone, on real cells."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from scviz.tasks.transfer import LOGISTIC, PCS_LINEAR, PCS_NEAREST, Request
from scviz.tasks.transfer.genes import N_GENES, both_have, fit_space
from scviz.tasks.transfer.labeled import labeled_cells
from scviz.tasks.transfer.learning import Cells, plain_methods
from scviz.tasks.transfer.rules import NEAREST, STRENGTH

pytestmark = pytest.mark.slow
AS_GOOD = 0.005


@pytest.fixture(scope="module")
def blood(shared: Path) -> AnnData:
    """Sorted blood cells, 150 of each type, without genes of ribosomes and mitochondria."""
    whole = anndata.read_h5ad(shared / "data" / "pbmc_sorted_3500" / "pbmc_sorted_3500.h5ad")
    whole = whole[np.arange(whole.n_obs) % 3 == 0].copy()
    kept = ~whole.var_names.str.match(r"^(MT-|RP[SL])") & (np.asarray(whole.X.sum(axis=0)).ravel() > 0)
    return whole[:, np.asarray(kept)].copy()


def theirs(blood: AnnData, genes: list[str], train: np.ndarray, test: np.ndarray) -> dict[str, np.ndarray]:
    """The names that scikit-learn gives on its own."""
    cells = blood[:, genes].copy()
    cells.X = cells.X.astype(np.float32)
    median = float(np.median(np.asarray(cells[train].X.sum(axis=1))))
    sc.pp.normalize_total(cells, target_sum=median if median < 1e3 else 1e4)
    sc.pp.log1p(cells)
    known = cells[train].copy()
    sc.pp.highly_variable_genes(known, n_top_genes=N_GENES, flavor="seurat")
    inputs = cells.X[:, known.var["highly_variable"].to_numpy()].toarray()
    labels = blood.obs["cell_type"].astype(str).to_numpy()
    scaler = StandardScaler().fit(inputs[train])
    scaled = np.clip(scaler.transform(inputs), -10, 10)
    pca = PCA(50, svd_solver="arpack", random_state=0).fit(inputs[train])
    pcs = pca.transform(inputs)
    standard = StandardScaler().fit(pcs[train]).transform(pcs)
    ways = {
        LOGISTIC: (LogisticRegression(C=STRENGTH, max_iter=3000), scaled),
        PCS_LINEAR: (LogisticRegression(max_iter=3000), standard),
        PCS_NEAREST: (KNeighborsClassifier(NEAREST), pcs),
    }
    return {name: way.fit(x[train], labels[train]).predict(x[test]) for name, (way, x) in ways.items()}


def test_plain_methods_are_those_of_scikit_learn(blood: AnnData) -> None:
    request = Request(dataset="query", reference="reference", label_key="cell_type")
    labeled = labeled_cells(request, blood)
    train, test = labeled.split.train, labeled.split.test
    both = both_have(blood, blood)
    space = fit_space(both.reference, both.genes, train, seed=0)
    cells = Cells(
        reference=blood,
        query=blood,
        codes=labeled.codes,
        train=train,
        judged=test,
        n_types=len(labeled.types),
    )
    _, scored = plain_methods(cells, space, reference=both.reference, query=both.query)
    own = {one.name: np.array(labeled.types)[one.judged.argmax(axis=1)] for one in scored}
    truth = np.array(labeled.types)[labeled.codes[test]]
    for name, named in theirs(blood, list(both.genes), train, test).items():
        assert abs(np.mean(own[name] == truth) - np.mean(named == truth)) <= AS_GOOD
        assert np.mean(own[name] == truth) > 0.75
