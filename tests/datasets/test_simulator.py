"""Simulated screens: the network is as it says, the counts look as they should, and the known order holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import average_precision_score

from scviz.datasets.expression import log_expression
from scviz.datasets.perturbation_split import condition
from scviz.datasets.screen import CONTROL, Perturbation
from scviz.datasets.simulated import PRESETS, WORDS, simulation
from scviz.datasets.simulated_network import Network, phi
from scviz.datasets.simulator import (
    SimulatedScreen,
    TrueModel,
    simulate,
    true_model,
)
from scviz.errors import RequestError

SEEDS = (0, 1, 2)


def perturbation_of(name: str) -> Perturbation:
    return tuple(sorted(set(name.split("+")) - {"ctrl"}))


def descendants(network: Network, gene: int) -> set[int]:
    """The genes that a change of one gene can reach; edges point forward."""
    reached = {gene}
    for source, target in zip(network.source.tolist(), network.target.tolist(), strict=True):
        if source in reached:
            reached.add(target)
    return reached - {gene}


def fresh_cells(model: TrueModel, perturbation: Perturbation, n: int = 600) -> csr_matrix:
    """Cells of one perturbation, measured or not: raw counts (n, G), the same at every call."""
    rng = np.random.default_rng([model.simulation.seed, 2, *sorted(model.columns(perturbation))])
    states = rng.integers(len(model.states), size=n)
    batches = rng.integers(len(model.batches), size=n)
    return model.draw([perturbation], np.zeros(n, dtype=np.int64), rng, states=states, batches=batches)


def oracle_mean(model: TrueModel, perturbation: Perturbation) -> np.ndarray:
    """Mean log expression of fresh cells, (G,): what a perfect predictor would say."""
    cells = log_expression(fresh_cells(model, perturbation))
    return np.asarray(cells.mean(axis=0, dtype=np.float64)).ravel()


@pytest.fixture(scope="module")
def tiny() -> SimulatedScreen:
    return simulate(simulation("tiny"))


# 1. the network


def test_a_regulator_at_its_control_level_changes_nothing(tiny: SimulatedScreen) -> None:
    network = tiny.model.network
    at_control = [phi(np.zeros(1), a, n)[0] for a, n in zip(network.a, network.n, strict=True)]
    np.testing.assert_allclose(at_control, 0.0, atol=1e-12)


def test_a_regulator_far_up_or_down_changes_its_target_by_at_most_what_the_edge_can() -> None:
    up, down = phi(np.array([50.0, -50.0]), 2.0, 1.5)
    assert up == pytest.approx(2.0 - np.log((1 + np.exp(2.0)) / 2))
    assert down == pytest.approx(-np.log((1 + np.exp(2.0)) / 2))


def test_control_without_noise_is_exactly_at_its_level(tiny: SimulatedScreen) -> None:
    np.testing.assert_allclose(tiny.model.log_folds(CONTROL), 0.0, atol=1e-12)


@pytest.mark.parametrize("preset", ["tiny", "clean"])
def test_a_knock_down_without_noise_changes_descendants_alone(preset: str) -> None:
    model = true_model(simulation(preset))
    genes = model.network.genes
    for gene in range(model.network.n_regulators):
        folds = model.log_folds((genes[gene],))
        own = descendants(model.network, gene) | {gene}
        assert {i for i, fold in enumerate(folds) if abs(fold) > 1e-9} == own
        assert folds[gene] == pytest.approx(np.log(0.15))


def test_every_edge_points_forward_and_every_target_has_one_to_four_regulators() -> None:
    network = true_model(simulation("demo")).network
    assert np.all(network.source < network.target)
    assert np.all(network.source < network.n_regulators)
    assert len(set(zip(network.source.tolist(), network.target.tolist(), strict=True))) == len(network.source)
    regulated = np.bincount(network.target, minlength=len(network.genes))
    is_target = (network.pathway >= 0) & (np.arange(len(network.genes)) >= network.n_regulators)
    shares = np.bincount(regulated[is_target])[1:] / is_target.sum()
    np.testing.assert_allclose(shares, [0.35, 0.35, 0.2, 0.1], atol=0.06)
    assert not regulated[network.pathway < 0].any()
    into_targets = network.target >= network.n_regulators
    assert np.mean(network.a[into_targets] < 0) == pytest.approx(0.3, abs=0.04)


# 2. the counts

MEASURED = {
    "tiny": (0.61, 216, 92),
    "clean": (0.13, 3000, None),
    "demo": (0.856, 299, 141),
    "medium": (0.73, 697, 283),
}
"""Share of zeros, counts and genes of the middle cell, as measured when the simulator was designed."""


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_counts_look_as_designed(preset: str) -> None:
    zeros, counts, genes = MEASURED[preset]
    found = []
    for seed in SEEDS:
        matrix = simulate(simulation(preset, seed)).adata.X
        totals = np.asarray(matrix.sum(axis=1)).ravel()
        share = 1 - matrix.nnz / np.prod(matrix.shape)
        found.append((share, np.median(totals), np.median(np.diff(matrix.indptr)), np.log(totals).std()))
    middle = np.mean(found, axis=0)
    assert middle[0] == pytest.approx(zeros, rel=0.05, abs=0.01)
    assert middle[1] == pytest.approx(counts, rel=0.05)
    assert genes is None or middle[2] == pytest.approx(genes, rel=0.05)
    assert middle[3] == pytest.approx(0.35, abs=0.03)


def test_how_deep_a_cell_is_read_does_not_depend_on_its_perturbation() -> None:
    model = true_model(replace(simulation("tiny"), depth=5000, kind="CRISPRa", escape=0.0))
    control, master = (fresh_cells(model, one, 4000).sum(axis=1) for one in ((), ("P1R1",)))
    assert np.mean(master) == pytest.approx(np.mean(control), rel=0.03)


# 3. the perturbed gene


@pytest.mark.slow
def test_a_knocked_down_gene_keeps_a_third_at_most() -> None:
    screen = simulate(simulation("demo"))
    conditions = screen.adata.obs["condition"]
    control = screen.adata.X[(conditions == "ctrl").to_numpy()].mean(axis=0)
    kept = []
    for i, gene in enumerate(screen.model.network.genes[: screen.model.network.n_regulators]):
        cells = screen.adata.X[(conditions == f"{gene}+ctrl").to_numpy()]
        kept.append(cells[:, i].mean() / control[0, i])
    assert np.median(kept) <= 1 / 3


@pytest.mark.parametrize(("kind", "low", "high"), [("CRISPRa", 2.5, 7.0), ("knock-out", 0.0, 0.05)])
def test_other_kinds_of_perturbation(kind: str, low: float, high: float) -> None:
    model = true_model(replace(simulation("tiny"), depth=5000, kind=kind, escape=0.0))
    gene = model.network.genes[0]
    ratio = fresh_cells(model, (gene,))[:, 0].mean() / fresh_cells(model, CONTROL)[:, 0].mean()
    assert low <= ratio <= high


# 4. what simple methods reach


@dataclass(frozen=True)
class Scores:
    """Mean correlation of predicted and true change over the 20 most changed genes."""

    pairs_seen: dict[str, float]
    singles: dict[str, float]


def delta_of_top(predicted: np.ndarray, true: np.ndarray, control: np.ndarray) -> float:
    top = np.argsort(-np.abs(true - control))[:20]
    change = (predicted - control)[top]
    return float(np.corrcoef(change, (true - control)[top])[0, 1]) if change.std() > 1e-12 else 0.0


def linear(
    means: np.ndarray, control: np.ndarray, perturbed: list[np.ndarray], asked: np.ndarray
) -> np.ndarray:
    """Bilinear ridge with 10 components of the training means; a pair is the sum of its genes."""
    centred = means.T - means.T.mean(axis=0)  # (G, T)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    genes = left[:, :10] * size[:10]  # (G, K)
    known = np.array([genes[columns].sum(axis=0) for columns in perturbed]).T  # (K, T)
    change = (means - control).T
    middle = change.mean(axis=1)
    ridge = 0.1 * np.eye(genes.shape[1])
    inner = np.linalg.solve(genes.T @ genes + ridge, genes.T @ (change - middle[:, None]) @ known.T)
    weights = inner @ np.linalg.inv(known @ known.T + ridge)
    return genes @ weights @ genes[asked].sum(axis=0) + middle + control


def scores_of(preset: str, seed: int) -> Scores:
    """Hold out a quarter of the perturbed genes and half of the pairs of seen ones."""
    screen = simulate(simulation(preset, seed))
    model, genes = screen.model, list(screen.model.network.genes)
    expression = log_expression(screen.adata.X)
    names = screen.adata.obs["condition"].to_numpy()
    mean = {
        one: np.asarray(expression[names == condition(one)].mean(axis=0)).ravel()
        for one in model.perturbations
    }
    rng = np.random.default_rng(seed)
    singles = [one for one in mean if len(one) == 1]
    unseen = {singles[i] for i in rng.permutation(len(singles))[: len(singles) // 4]}
    pairs = [one for one in mean if len(one) == 2 and not any((gene,) in unseen for gene in one)]
    held_out = {pairs[i] for i in rng.permutation(len(pairs))[: (len(pairs) + 1) // 2]}
    training = [one for one in singles if one not in unseen] + [one for one in pairs if one not in held_out]
    control = mean[CONTROL]
    means = np.array([control, *[mean[one] for one in training]])
    columns = [np.array([genes.index(gene) for gene in one], dtype=int) for one in (CONTROL, *training)]

    def methods(one: Perturbation) -> dict[str, np.ndarray]:
        asked = np.array([genes.index(gene) for gene in one])
        return {
            "no change": control,
            "mean": means[1:].mean(axis=0),
            "additive": control + sum(mean[(g,)] - control for g in one if (g,) in training),
            "linear": linear(means, control, columns, asked),
            "oracle": oracle_mean(model, one),
        }

    def table(ones: set[Perturbation]) -> dict[str, float]:
        rows = [{n: delta_of_top(p, mean[one], control) for n, p in methods(one).items()} for one in ones]
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    return Scores(pairs_seen=table(held_out), singles=table(unseen))


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["tiny", "demo"])
def test_the_known_order_of_simple_methods_holds(preset: str) -> None:
    found = [scores_of(preset, seed) for seed in SEEDS]
    pairs = {name: np.mean([one.pairs_seen[name] for one in found]) for name in found[0].pairs_seen}
    singles = {name: np.mean([one.singles[name] for one in found]) for name in found[0].singles}
    assert pairs["oracle"] > pairs["additive"] > pairs["linear"] > pairs["no change"]
    assert singles["oracle"] > singles["mean"] > singles["additive"] == 0


# 5. the network can be found where the counts are good


@pytest.mark.slow
def test_correlation_finds_the_network_of_the_clean_preset_and_chance_does_not() -> None:
    screen = simulate(simulation("clean"))
    network = screen.model.network
    expression = log_expression(screen.adata.X).toarray()
    score = np.abs(np.corrcoef(expression.T))[: network.n_regulators]  # (R, G)
    true = np.zeros(score.shape, dtype=bool)
    true[network.source, network.target] = True
    others = ~np.eye(*score.shape, dtype=bool)
    density = true[others].mean()
    chance = np.random.default_rng(0).random(others.sum())
    assert density == pytest.approx(0.026, abs=0.004)
    assert average_precision_score(true[others], score[others]) >= 0.6
    assert average_precision_score(true[others], chance) == pytest.approx(density, abs=0.02)


# 6. the file


def test_the_same_seed_gives_the_same_cells_and_another_seed_another_network(tiny: SimulatedScreen) -> None:
    again, other = simulate(simulation("tiny")), simulate(simulation("tiny", 1))
    assert (again.adata.X != tiny.adata.X).nnz == 0
    assert again.adata.obs.equals(tiny.adata.obs)
    assert again.model.terms == tiny.model.terms
    assert not np.array_equal(other.model.network.source, tiny.model.network.source)


def test_a_file_keeps_columns_names_and_truth(tiny: SimulatedScreen, tmp_path: Path) -> None:
    tiny.adata.write_h5ad(tmp_path / "screen.h5ad")
    read = anndata.read_h5ad(tmp_path / "screen.h5ad")
    assert (read.X != tiny.adata.X).nnz == 0
    assert set(read.obs) == {"condition", "cell_type"}
    assert list(read.var["gene_name"]) == list(tiny.model.network.genes)
    assert read.uns["truth"].keys() == {"edges", "gene", "pathway", "simulation"}
    for name, values in tiny.adata.uns["truth"]["edges"].items():
        assert np.array_equal(read.uns["truth"]["edges"][name], values)


def test_conditions_are_named_as_in_published_files(tiny: SimulatedScreen) -> None:
    sizes = tiny.adata.obs["condition"].value_counts()
    assert sizes["ctrl"] == 120
    assert set(sizes.drop("ctrl")) == {24}
    kinds = [len(perturbation_of(name)) for name in sizes.index]
    assert np.bincount(kinds).tolist() == [1, 22, 8]
    assert {perturbation_of(name) for name in sizes.index} == set(tiny.model.perturbations)


def test_inert_genes_are_perturbed_and_regulate_nothing(tiny: SimulatedScreen) -> None:
    network = tiny.model.network
    inert = [
        one for one in tiny.model.perturbations if one and network.genes.index(one[0]) >= network.n_regulators
    ]
    assert len(inert) == 2
    for one in inert:
        assert np.flatnonzero(np.abs(tiny.model.log_folds(one)) > 1e-9).tolist() == tiny.model.columns(one)


def test_without_kappa_genes_outside_the_network_do_not_move() -> None:
    moved = {}
    for kappa in (0.0, 0.5):
        model = true_model(replace(simulation("clean"), kappa=kappa))
        outside = model.network.pathway < 0
        change = np.log(fresh_cells(model, ("P1R1",)).mean(axis=0) / fresh_cells(model, CONTROL).mean(axis=0))
        moved[kappa] = np.asarray(change).ravel()[outside].std()
    assert moved[0.5] > 3 * moved[0.0]


def test_states_are_cell_types_whose_masters_differ() -> None:
    screen = simulate(replace(simulation("clean"), n_states=3, n_cells=10))
    types = screen.adata.obs["cell_type"]
    assert set(types) == {"state 1", "state 2", "state 3"}
    masters = screen.model.network.masters()
    assert [screen.model.network.genes[i] for i in masters[:2]] == ["P1R1", "P2R1"]
    expected = screen.model.states[1, masters] - screen.model.states[1, masters].mean()
    mean = [
        np.asarray(screen.adata.X[(types == f"state {i}").to_numpy()].mean(axis=0)).ravel() for i in (1, 2)
    ]
    measured = np.log(mean[1] / mean[0])[masters]
    assert np.corrcoef(measured, expected)[0, 1] > 0.9


def test_batches_shift_genes_and_one_batch_does_not() -> None:
    one = true_model(simulation("tiny"))
    two = true_model(replace(simulation("tiny"), n_batches=2))
    assert not one.batches.any()
    assert two.batches.std() == pytest.approx(0.1, rel=0.15)
    assert set(simulate(two.simulation).adata.obs["batch"]) == {"batch 1", "batch 2"}


def test_the_soup_makes_cells_alike() -> None:
    share = []
    for ambient in (0.0, 0.1):
        model = true_model(
            replace(simulation("tiny"), ambient=ambient, kind="knock-out", escape=0.0, depth=20_000)
        )
        share.append(fresh_cells(model, ("P1R1",))[:, 0].mean() / fresh_cells(model, CONTROL)[:, 0].mean())
    assert share[0] < 0.01
    assert share[1] == pytest.approx(0.1, abs=0.03)


def test_fresh_cells_share_no_noise_with_those_of_the_screen(tiny: SimulatedScreen) -> None:
    fresh, again = fresh_cells(tiny.model, CONTROL, 120), fresh_cells(tiny.model, CONTROL, 120)
    measured = tiny.adata.X[(tiny.adata.obs["condition"] == "ctrl").to_numpy()]
    assert (fresh != again).nnz == 0
    noise = [cells.toarray() - cells.mean(axis=0) for cells in (fresh, measured)]
    assert abs(np.corrcoef(*(np.asarray(one).ravel() for one in noise))[0, 1]) < 0.1


def test_terms_tell_pathways_with_noise(tiny: SimulatedScreen) -> None:
    network, terms = tiny.model.network, tiny.model.terms
    members = [i for i, pathway in enumerate(network.pathway) if pathway == 0]
    of_pathway = [len([t for t in terms[network.genes[i]] if "pathway 1 " in t]) / 4 for i in members]
    assert np.mean(of_pathway) == pytest.approx(0.7, abs=0.1)
    assert {len([t for t in known if "random" in t]) for known in terms.values()} == {2}
    assert not any("pathway" in t for t in terms[network.genes[-1]])


def test_what_is_not_possible_is_refused() -> None:
    with pytest.raises(RequestError, match="no simulated screen 'huge'") as refusal:
        simulation("huge")
    assert "tiny" in refusal.value.hint
    with pytest.raises(RequestError, match="too few"):
        replace(simulation("tiny"), n_genes=21)
    with pytest.raises(RequestError, match="not possible"):
        replace(simulation("tiny"), escape=1.5)
    with pytest.raises(RequestError, match="no gene 'KLF1'"):
        true_model(simulation("tiny")).columns(("KLF1",))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_words_of_a_preset_are_true(preset: str) -> None:
    one = PRESETS[preset]
    n_single = one.n_pathways * one.n_regulators + one.n_inert
    assert f"{one.n_control + one.n_cells * (n_single + one.n_pairs):,} cells" in WORDS[preset]
