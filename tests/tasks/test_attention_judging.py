"""How often regulators without any link to their known targets pass, and those with one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import binom

from scviz.metrics.evidence import LEVEL, random_needed
from scviz.networks.attention import SETTINGS
from scviz.tasks.attention_network import ATTENTION, Request
from scviz.tasks.attention_network.judging import Judged, aurocs, control_genes, judge, n_tests

N_GENES, REGULATORS = 160, (3, 50, 90)


def asked(n_null: int = 20) -> Request:
    return Request(
        dataset="d", checkpoint="m/c", column="state", control="a", perturbed="b",
        regulators=tuple(f"G{i}" for i in REGULATORS), n_null=n_null,
    )  # fmt: skip


def made(seed: int, *, strength: float = 0.0) -> tuple[Any, dict[str, NDArray]]:
    """Influence in which genes attended to by all stand first, known targets among them; the regulators gain some."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(1.0, size=N_GENES)
    cells = sparse.csr_matrix(rng.poisson(level, size=(30, N_GENES)).astype(np.float32))
    known = rng.random((len(REGULATORS), N_GENES)) < 0.1 + 0.2 * (level > np.median(level))
    known[np.arange(len(REGULATORS)), REGULATORS] = False
    inputs = SimpleNamespace(
        expression=(cells[:15], cells[15:]),
        regulators=np.array(REGULATORS),
        known=known,
        model=SimpleNamespace(card=SimpleNamespace(title="scGPT")),
    )
    maps = {}
    for setting in SETTINGS:
        whole = rng.normal(size=(N_GENES, N_GENES)) + level  # (genes attended to, genes that attend)
        whole[list(REGULATORS)] += strength * known
        np.fill_diagonal(whole, np.nan)
        maps[str(setting)] = whole.astype(np.float32)
    return inputs, maps


def judged(seed: int, *, strength: float = 0.0) -> Judged:
    inputs, maps = made(seed, strength=strength)
    rng = np.random.default_rng(seed + 10_000)
    controls = control_genes(asked(), inputs)
    return judge(
        asked(),
        inputs,
        influence={name: whole[list(REGULATORS)] for name, whole in maps.items()},
        coexpression={
            name: (whole[list(REGULATORS)] - strength * inputs.known + rng.normal(size=(3, N_GENES))).astype(
                np.float32
            )
            for name, whole in maps.items()
        },
        controls={name: whole[controls] for name, whole in maps.items()},
    )


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals are judged in a test of their own."""
    monkeypatch.setattr("scviz.tasks.attention_network.judging.gain_of", lambda *_, **__: None)


def test_there_are_controls_enough_for_the_correction_and_none_is_a_regulator() -> None:
    inputs, _ = made(0)
    controls = control_genes(asked(), inputs)
    assert controls.shape[1] >= min(random_needed(n_tests(3)), N_GENES - 3)
    assert not np.isin(controls, REGULATORS).any()
    assert all(len(set(row)) == len(row) for row in controls.tolist())


def test_regulators_without_a_link_to_their_targets_seldom_pass() -> None:
    """Known targets are genes that all attend from, so that random genes would be too easy to beat."""
    any_passed = sum(any(one.fdr <= LEVEL for one in judged(seed).checks) for seed in range(200))
    assert any_passed <= binom.ppf(0.999, 200, LEVEL)


def test_regulators_whose_targets_attend_to_them_pass() -> None:
    found = [
        one.fdr <= LEVEL
        for seed in range(20)
        for one in judged(seed, strength=1.5).checks
        if one.method == ATTENTION
    ]
    assert np.mean(found) >= 0.8


def test_places_can_be_recomputed_from_the_control_areas() -> None:
    inputs, maps = made(1)
    found = judged(1)
    for one in found.checks:
        if one.method == ATTENTION and one.place is not None:
            row = asked().regulators.index(one.regulator)
            own = aurocs(maps[one.setting][[REGULATORS[row]]], inputs.known[row])[0]
            areas = found.control_auroc[one.setting][row]
            assert one.place.own == pytest.approx(own)
            assert one.place.rank == 1 + int((areas >= own).sum())
