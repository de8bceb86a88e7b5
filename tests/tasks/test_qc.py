"""Quality control of cells that are bad in known ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy
from scipy.sparse import csr_matrix, vstack
from scipy.stats import median_abs_deviation

from scviz.datasets.choices import Opening
from scviz.datasets.labels import cell_labels
from scviz.datasets.readers import open_file
from scviz.errors import DataError, MissingColumnError
from scviz.metrics.thresholds import Bounds, losses, valley
from scviz.tasks.qc import Request, Result, scrublet
from scviz.tasks.qc.run import run
from scviz.tasks.qc.scrublet import doublet_scores
from scviz.tasks.qc.suggesting import at_first, kept_cells, suggested
from scviz.tasks.qc.telling import kept_sentence, lost_by_measure, warnings
from scviz.workspace import Workspace
from tests.bad_cells import EMPTY, HIGH_MITOCHONDRIAL, LOST, OVERFULL, context, counts, open_bad_cells


@pytest.fixture
def bad(workspace: Workspace, tmp_path: Path) -> str:
    return open_bad_cells(workspace, tmp_path).id


@pytest.fixture
def measured(workspace: Workspace, bad: str) -> Result:
    return run(Request(dataset=bad, doublets=False), context(workspace))


def test_suggested_thresholds_are_exact(measured: Result) -> None:
    true = counts()
    found = suggested(measured, 3.0)
    for name, values in (("counts", true.sum(axis=1)), ("genes", (true > 0).sum(axis=1))):
        logs = np.log1p(values)
        reach = 3 * median_abs_deviation(logs)
        low, high = np.expm1(np.median(logs) - reach), np.expm1(np.median(logs) + reach)
        assert found[name] == Bounds(low=np.ceil(low), high=np.floor(high))
    share = true[:, 200:202].sum(axis=1) / true.sum(axis=1)
    wanted = np.median(share) + 3 * median_abs_deviation(share)
    assert found["mitochondrial"].high == pytest.approx(wanted, rel=1e-12)


def test_exactly_the_bad_cells_are_lost(workspace: Workspace, bad: str, measured: Result) -> None:
    bounds = at_first(suggested(measured, 3.0))
    kept = kept_cells(measured.measures, bounds)
    assert set(np.flatnonzero(~kept)) == {*HIGH_MITOCHONDRIAL, *EMPTY, *OVERFULL, *range(200, 210)}
    labels = cell_labels(workspace.dataset_folder(bad), "cell_type")
    found = losses(kept, labels.codes, labels.names)
    assert {one.name: (one.n, one.lost) for one in found} == LOST
    assert warnings(found) == (
        "All 10 cells of Platelet would be lost. This group is rare: look at its cells before they go.",
    )
    assert kept_sentence(kept, found).startswith(
        "Kept 188 of 210 cells (89.5 %). Lost most: 10 of 10 Platelet"
    )
    lost = lost_by_measure(measured.measures, bounds)
    assert (lost["Counts"], lost["Genes"], lost["Mitochondrial"]) == (22, 13, 5)


def test_a_threshold_that_is_moved_saves_the_rare_type(measured: Result) -> None:
    bounds = at_first(suggested(measured, 3.0))
    wider = {**bounds, "counts": Bounds(low=100.0), "genes": Bounds(low=40.0)}
    assert kept_cells(measured.measures, wider)[200:].all()
    assert int((~kept_cells(measured.measures, wider)).sum()) == 5 + 3


def test_few_mitochondrial_genes_and_the_ribosomal_share_take_no_cell(measured: Result) -> None:
    bounds = at_first(suggested(measured, 3.0))
    assert bounds["mitochondrial"].low is None
    assert bounds["ribosomal"].is_open
    assert suggested(measured, 3.0)["ribosomal"].high is not None


def test_more_mads_keep_no_fewer_cells(measured: Result) -> None:
    kept = [int(kept_cells(measured.measures, at_first(suggested(measured, n))).sum()) for n in (1, 3, 10)]
    assert kept[0] < kept[1] <= kept[2]


def test_a_threshold_beyond_all_is_none(measured: Result) -> None:
    assert suggested(measured, 10.0)["mitochondrial"].high is not None
    shares = np.linspace(0.2, 0.9, 210)
    high = Result(
        measures={**measured.measures, "mitochondrial": shares},
        gene_cells=measured.gene_cells,
        doublet_thresholds={},
        n_mitochondrial=1,
        n_ribosomal=1,
        seconds=0,
    )
    assert suggested(high, 3.0)["mitochondrial"].high is None


def test_a_column_that_is_not_there_is_refused_before_anything_is_counted(
    workspace: Workspace, bad: str
) -> None:
    with pytest.raises(MissingColumnError, match="no column 'type'"):
        run(Request(dataset=bad, label_key="type", doublets=False), context(workspace))


def cells_of_two_kinds(n_cells: int, seed: int = 0) -> anndata.AnnData:
    """Cells of two types with many genes, as scrublet needs them."""
    rng = np.random.default_rng(seed)
    means = rng.gamma(0.6, 1.0, (2, 900))
    made = rng.poisson(means[np.arange(n_cells) % 2] * rng.uniform(0.7, 1.4, (n_cells, 1)))
    obs = pd.DataFrame(
        {"batch": pd.Categorical(["one" if cell < n_cells - 40 else "few" for cell in range(n_cells)])},
        index=[f"cell{cell}" for cell in range(n_cells)],
    )
    var = pd.DataFrame(index=[f"GENE{gene}" for gene in range(900)])
    return anndata.AnnData(X=csr_matrix(made.astype(np.float32)), obs=obs, var=var)


def direct(cells: anndata.AnnData, seed: int) -> tuple[np.ndarray, float | None]:
    """What scanpy says itself."""
    own = cells.copy()
    scanpy.pp.scrublet(own, expected_doublet_rate=0.05, threshold=0.5, random_state=seed, verbose=False)
    return own.obs["doublet_score"].to_numpy(), valley(own.uns["scrublet"]["doublet_scores_sim"])


def assert_like_scanpy(scores: np.ndarray, wanted: np.ndarray) -> None:
    """Equal but for the few cells that scanpy, by rounding, counts among their own neighbors: one doublet less.

    It takes distances from the lengths of vectors, by which some cells are not at 0 from themselves; which ones depends
    on the machine.
    """
    off = ~np.isclose(scores, wanted, rtol=1e-6)
    assert off.mean() <= 0.03
    steps = np.unique(wanted)  # as many as there are doublets among neighbors
    assert all(np.abs(np.searchsorted(steps, scores[off]) - np.searchsorted(steps, wanted[off])) <= 1)


def test_cells_that_are_two_in_one_score_higher() -> None:
    cells = csr_matrix(cells_of_two_kinds(400).X)
    one, other = np.arange(0, 40, 2), np.arange(1, 41, 2)  # of either kind
    both = csr_matrix(vstack([cells, cells[one] + cells[other]]))
    found = doublet_scores(both, seed=1)
    assert found.cells.shape == (420,)
    assert found.simulated.shape == (840,)
    single, double = found.cells[:400], found.cells[400:]
    assert (double[:, None] > single).mean() > 0.95, "AUROC"


def test_how_many_cells_are_worked_on_at_a_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = csr_matrix(cells_of_two_kinds(200).X)
    whole = doublet_scores(cells, seed=1)
    for name in ("AT_A_TIME", "SEARCHED_AT_A_TIME"):
        monkeypatch.setattr(scrublet, name, 37)
    parts = doublet_scores(cells, seed=1)
    np.testing.assert_allclose(parts.cells, whole.cells)
    np.testing.assert_allclose(parts.simulated, whole.simulated)


def test_too_few_genes_that_vary_are_refused_with_their_number() -> None:
    with pytest.raises(DataError, match="0 genes vary enough, and more than 30 are needed"):
        doublet_scores(csr_matrix(np.ones((120, 50), dtype=np.float32)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_doublets_are_those_of_scanpy_in_each_batch(workspace: Workspace, tmp_path: Path) -> None:
    cells = cells_of_two_kinds(240)
    cells.write_h5ad(tmp_path / "two.h5ad")
    dataset = open_file(tmp_path / "two.h5ad", workspace, name="two").id
    whole = run(Request(dataset=dataset, seed=3), context(workspace))
    scores, threshold = direct(cells, 3)
    assert_like_scanpy(whole.measures["doublet_score"], scores)
    assert whole.doublet_thresholds.get("") == threshold
    assert suggested(whole, 3.0)["doublet_score"] == Bounds(high=threshold)

    apart = run(Request(dataset=dataset, seed=3, batch_key="batch"), context(workspace))
    scores, threshold = direct(cells[:200], 3)
    assert_like_scanpy(apart.measures["doublet_score"][:200], scores)
    assert np.isnan(apart.measures["doublet_score"][200:]).all()
    assert apart.doublet_thresholds.get("one") == threshold
    (note,) = [note for note in apart.notes if "batch few" in note]
    assert note == "Doublets of batch few cannot be told: it has 40 cells, and scrublet needs 100 at least."
    assert kept_cells(apart.measures, {"doublet_score": Bounds(high=-1.0)}).sum() == 40


def test_too_few_cells_have_no_doublets_and_say_so(workspace: Workspace, tmp_path: Path) -> None:
    cells_of_two_kinds(60).write_h5ad(tmp_path / "few.h5ad")
    dataset = open_file(tmp_path / "few.h5ad", workspace, name="few").id
    result = run(Request(dataset=dataset), context(workspace))
    assert "doublet_score" not in result.measures
    said = " ".join(result.notes)
    assert "Doublets of this dataset cannot be told: it has 60 cells" in said
    assert "No gene of these data is known to be mitochondrial" in said
    assert "No threshold is suggested for mitochondrial" not in said  # once is enough


def test_relative_expression_has_no_doublets_and_says_why(workspace: Workspace, tmp_path: Path) -> None:
    cells = cells_of_two_kinds(120)
    scale = np.random.default_rng(1).uniform(0.5, 2.0, cells.n_vars)  # as lengths of genes do
    values = cells.X.multiply(scale).tocsr()
    totals = np.asarray(values.sum(axis=1)).ravel()
    cells.X = csr_matrix(values.multiply(1e6 / totals[:, None]), dtype=np.float32)
    cells.write_h5ad(tmp_path / "tpm.h5ad")
    dataset = open_file(tmp_path / "tpm.h5ad", workspace, name="tpm", choices=Opening(relative=True))
    assert dataset.counts.how == "relative expression"
    result = run(Request(dataset=dataset.id), context(workspace))
    assert "doublet_score" not in result.measures
    assert "relative expression without counts behind it" in " ".join(result.notes)


def test_cells_that_were_scaled_to_one_sum_lose_none_to_rounding() -> None:
    rng = np.random.default_rng(0)
    sums = 1e6 + rng.normal(0, 0.05, 500)
    genes = rng.integers(1_000, 3_000, 500).astype(np.float64)
    result = Result(
        measures={"counts": sums, "genes": genes},
        gene_cells=np.zeros(1, dtype=np.int64),
        doublet_thresholds={},
        n_mitochondrial=0,
        n_ribosomal=0,
        seconds=0.0,
    )
    bounds = at_first(suggested(result, 3.0))
    assert bounds["counts"].is_open
    assert kept_cells({"counts": sums}, {"counts": bounds["counts"]}).all()
    spread = suggested(replace(result, measures={"counts": sums * rng.uniform(0.5, 2, 500)}), 3.0)["counts"]
    assert spread.high != np.floor(spread.high)  # numbers that are not whole are not rounded
