"""What else differs between control cells and perturbed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from scviz.datasets.conditions import conditions_of, guess_screen_column
from scviz.datasets.confounding import confounded_factors
from scviz.datasets.readers import open_file
from scviz.workspace import Workspace

GENES = ("STAT1", "IRF1", "JAK2", "MYC")
N = 1200


def screen(rng: np.random.Generator, **columns: object) -> AnnData:
    """Cells of which every third is control, the others one of four perturbations."""
    perturbation = np.array(["control", *GENES])[
        np.where(np.arange(N) % 3 == 0, 0, 1 + rng.integers(0, 4, N))
    ]
    counts = csr_matrix(rng.poisson(2.0, (N, 6)).astype(np.float32))
    index = pd.Index([f"cell{i}" for i in range(N)], dtype=object)
    obs = pd.DataFrame({"perturbation": perturbation, **columns}, index=index)
    return AnnData(counts, obs=obs, var=pd.DataFrame(index=pd.Index([*GENES, "ACTB", "B2M"], dtype=object)))


def factors_of(adata: AnnData, workspace: Workspace, path: Path) -> tuple[object, ...]:
    adata.write_h5ad(path / "screen.h5ad")
    info = open_file(path / "screen.h5ad", workspace)
    folder = workspace.dataset_folder(info.id)
    return confounded_factors(folder, conditions_of(folder, "perturbation"), columns=info.columns)


def test_the_column_of_perturbations_is_guessed_from_the_genes_of_the_dataset(
    workspace: Workspace, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    screen(rng, stimulation=stimulated(rng, 0.5, 0.5)).write_h5ad(tmp_path / "screen.h5ad")
    info = open_file(tmp_path / "screen.h5ad", workspace)
    assert guess_screen_column(workspace.dataset_folder(info.id), info.columns) == "perturbation"


def stimulated(rng: np.random.Generator, of_controls: float, of_others: float) -> np.ndarray:
    share = np.where(np.arange(N) % 3 == 0, of_controls, of_others)
    return np.where(rng.random(N) < share, "stim", "ctrl")


def test_a_factor_on_which_controls_differ_is_named_with_both_shares(
    workspace: Workspace, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    stim = stimulated(rng, 0.70, 0.51)
    adata = screen(rng, stimulation=stim, donor=rng.choice(["d1", "d2", "d3"], N))
    (factor,) = factors_of(adata, workspace, tmp_path)
    assert (factor.column, factor.value) == ("stimulation", "ctrl")
    controls = adata.obs["perturbation"] == "control"
    assert factor.control_share == pytest.approx(np.mean(stim[controls] == "ctrl"))
    assert factor.perturbed_share == pytest.approx(np.mean(stim[~controls] == "ctrl"))
    assert factor.distance == pytest.approx(factor.perturbed_share - factor.control_share)
    assert factor.p_value <= 0.01
    shares = (
        f"{100 * factor.control_share:.0f} % of the controls are ctrl, {100 * factor.perturbed_share:.0f} %"
    )
    assert shares in factor.sentence


def test_batches_that_hold_controls_alone_are_a_factor(workspace: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lane = np.where(np.arange(N) % 3 == 0, "lane 1", "lane 2")
    (factor,) = factors_of(screen(rng, lane=lane), workspace, tmp_path)
    assert (factor.column, factor.distance) == ("lane", 1.0)


def test_what_says_again_what_was_perturbed_or_follows_from_it_is_no_factor(
    workspace: Workspace, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    adata = screen(rng)
    control = (adata.obs["perturbation"] == "control").to_numpy()
    adata.obs["guide"] = [f"{one}g{i % 2 + 1}" for i, one in enumerate(adata.obs["perturbation"])]
    adata.obs["second_gene"] = np.where(control, "control", rng.choice([*GENES, "control"], N))
    adata.obs["kind"] = np.where(control, "non-targeting", "CRISPRi")
    adata.obs["is_control"] = control
    adata.obs["nperts"] = pd.Categorical(np.where(control, "0", "1"))
    adata.obs["phase"] = np.where(control, "G1", rng.choice(["G1", "S"], N))
    adata.obs["leiden"] = pd.Categorical(np.where(control, "0", rng.choice(["1", "2"], N)))
    assert factors_of(adata, workspace, tmp_path) == ()


def test_chance_gives_no_factor() -> None:
    """Of 200 screens without a factor, with many batches and few controls, at most one in twenty names one."""
    from scviz.datasets.confounding import LARGEST_P, _judged
    from scviz.datasets.labels import Labels

    rng = np.random.default_rng(3)
    called = 0
    for _ in range(200):
        codes, control = rng.integers(0, 12, 400), np.arange(400) < 25
        names = tuple(f"batch {i}" for i in range(12))
        labels = Labels(column="batch", names=names, codes=codes, left_out={})
        table = np.array([np.bincount(codes[side], minlength=12) for side in (control, ~control)])
        found = _judged(labels, table, rng, n_draws=999)
        called += found is not None and found.p_value <= LARGEST_P
    assert called <= 17  # binomial bound of 99 % for 200 draws of 5 %
