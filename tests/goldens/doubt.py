"""Cases of doubt: temperature and calibration, conformal sets, novelty, as well-kept libraries compute them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.metrics.calibration import (
    N_BINS,
    brier_score,
    classwise_error,
    equal_mass,
    equal_width,
    fit_temperature,
    log_loss,
    reliability,
    scaled,
)
from scviz.metrics.conformal import (
    aps_scores,
    conformal_p,
    conformal_quantile,
    lac_scores,
    own_scores,
    sets_below,
)
from scviz.metrics.evidence import auroc
from scviz.metrics.novelty import (
    energy,
    entropy,
    max_softmax,
    missed,
    type_clouds,
)
from tests.goldens.arrays import Expected, load
from tests.goldens.published_conformal import mapie_order, mapie_sets

EXACT = 1e-12


def check_calibration(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    two = inputs["z_cal"].shape[1] == 2
    z_cal, z_test = (_as_sklearn(inputs[name]) if two else inputs[name] for name in ("z_cal", "z_test"))
    y = inputs["y_test"]
    found = fit_temperature(z_cal, inputs["y_cal"])
    assert found.found
    for name in ("T_sklearn", "T_lbfgs"):
        if name in expected:
            expected.close(name, found.value, atol=0, rtol=1e-5)
    for name, value in (("nll_before", found.loss_before), ("nll_after", found.loss)):
        if name in expected:
            expected.close(name, value, atol=1e-6)
    temperatures = {"raw": 1.0, "scaled": found.value}
    for tag, temperature in temperatures.items():
        p, atol = scaled(z_test, temperature), 1e-9 if tag == "raw" else 1e-5
        for name in (f"p_test_{tag}", *(["p_test_sklearn"] if tag == "scaled" else [])):
            expected.close(name, p, atol=1e-6)
        confidence, right = p.max(axis=1), p.argmax(axis=1) == y
        even = reliability(confidence, right, equal_width(confidence))
        expected.close(f"ece|{tag}|15|uniform", even.ece, atol=atol)
        mass = reliability(confidence, right, equal_mass(confidence))
        expected.close(f"ece|{tag}|15|equal_mass", mass.ece, atol=atol)
        expected.close(f"ece_classwise|{tag}|15|uniform", classwise_error(p, y), atol=atol)
        apart = np.where(confidence.astype(np.float32) == 1, N_BINS, equal_width(confidence))
        torch = reliability(confidence, right, apart)  # torchmetrics gives a confidence of 1 a bin of its own
        gaps, share = np.abs(torch.accuracy - torch.confidence), torch.n / torch.n.sum()
        for norm, value in (("l1", torch.ece), ("l2", np.sqrt(share @ gaps**2)), ("max", gaps.max())):
            expected.close(f"tm_ece|{tag}|15|{norm}", value, atol=1e-6 if tag == "raw" else 1e-5)
        expected.close(f"brier_sum|{tag}", brier_score(p, y), atol=atol)
        expected.close(f"brier_sklearn|{tag}", brier_score(p, y) / (2 if two else 1), atol=atol)
        expected.close(f"nll|{tag}", log_loss(z_test, y, temperature), atol=max(atol, 1e-6))
        expected.close(f"accuracy|{tag}", right.mean(), atol=EXACT)
    for name in expected.arrays:  # other bins, whose flaws the specification names
        if name.startswith("mapie_"):
            expected.take(name)
    expected.all_compared()


def _as_sklearn(z: NDArray) -> NDArray:
    """Spread two logits as scikit-learn's temperature method does: (-d, d)."""
    d = z[:, 1] - z[:, 0]
    return np.stack([-d, d], axis=1)


def check_conformal(case: Path, folder: Path) -> None:
    config, inputs, expected = (
        json.loads((case / "config.json").read_text()),
        load(case / "inputs.npz"),
        Expected(case),
    )
    alphas = config["alphas"]
    u_cal, u_test = expected.take("u_calibration"), expected.take("u_test")
    _lac(expected, inputs, alphas)
    _top_k(expected, inputs, alphas)
    ways = {
        "aps_own": {},
        "raps_own": {"penalty": 0.1, "free": 2},
        "raps_own_strong": {"penalty": 0.5, "free": 1},
    }
    for name, how in ways.items():
        for form, draws in (("plain", (None, None)), ("randomized", (u_cal, u_test))):
            score = partial(aps_scores, **how)
            cal = own_scores(score(inputs["p_cal"], draws[0]), inputs["y_cal"])
            expected.close(f"scores|{name}|{form}", cal, atol=EXACT)
            bars = [conformal_quantile(cal, 1 - alpha) for alpha in alphas]
            expected.close(f"quantile|{name}|{form}", bars, atol=EXACT)
            new = score(inputs["p_test"], draws[1])
            expected.equal(f"set|{name}|{form}", [sets_below(new, bar, slack=EXACT) for bar in bars])
    _mapie_aps(expected, inputs, alphas, (u_cal, u_test))
    _crepes(expected, inputs, alphas)
    for name in expected.arrays:  # tuned on rows that MAPIE draws; the specification says why not
        if name.split("|")[-1] == "raps" or "|raps|" in name or name.startswith("raps_"):
            expected.take(name)
    expected.all_compared()


def _lac(expected: Expected, inputs: dict[str, NDArray], alphas: list[float]) -> None:
    cal = own_scores(lac_scores(inputs["p_cal"]), inputs["y_cal"])
    bars = [conformal_quantile(cal, 1 - alpha) for alpha in alphas]
    expected.close("scores|lac", cal, atol=EXACT)
    expected.close("quantile|lac", bars, atol=EXACT)
    expected.equal("set|lac", [sets_below(lac_scores(inputs["p_test"]), bar) for bar in bars])


def _top_k(expected: Expected, inputs: dict[str, NDArray], alphas: list[float]) -> None:
    """Count ranks from 0 instead of probability: the quantile is the same one."""
    ranks = [np.argsort(mapie_order(inputs[name]), axis=1).astype(float) for name in ("p_cal", "p_test")]
    cal = own_scores(ranks[0], inputs["y_cal"])
    bars = [conformal_quantile(cal, 1 - alpha) for alpha in alphas]
    expected.close("scores|top_k", cal, atol=EXACT)
    expected.close("quantile|top_k", bars, atol=EXACT)
    expected.equal("set|top_k", [sets_below(ranks[1], bar) for bar in bars])


def _mapie_aps(
    expected: Expected, inputs: dict[str, NDArray], alphas: list[float], draws: tuple[NDArray, NDArray]
) -> None:
    """Compare scores and quantiles, which are ours, and sets by three rules, which are not."""
    cal = own_scores(aps_scores(inputs["p_cal"], draws[0]), inputs["y_cal"])
    bars = [conformal_quantile(cal, 1 - alpha) for alpha in alphas]
    expected.close("scores|aps", cal, atol=EXACT)
    expected.close("quantile|aps", bars, atol=EXACT)
    for rule in ("inclusive", "exclusive", "randomized"):
        ours = [mapie_sets(inputs["p_test"], bar, rule=rule, u=draws[1]) for bar in bars]
        expected.equal(f"set|aps|{rule}", ours)


def _crepes(expected: Expected, inputs: dict[str, NDArray], alphas: list[float]) -> None:
    y, p_cal, p_test = inputs["y_cal"], inputs["p_cal"], inputs["p_test"]
    bins, new_bins = inputs["bins_cal"], inputs["bins_test"]
    for name, score in (("hinge", lac_scores), ("margin", _margin)):
        cal, new = own_scores(score(p_cal), y), score(p_test)
        p = conformal_p(cal, new)
        by_class = np.stack(
            [conformal_p(cal[y == code], column) for code, column in enumerate(new.T)], axis=1
        )
        by_bin = np.empty_like(new)
        for one in np.unique(new_bins):
            by_bin[new_bins == one] = conformal_p(cal[bins == one], new[new_bins == one])
        expected.close(f"crepes|{name}|p", p, atol=EXACT)
        expected.close(f"crepes|{name}|p_class", by_class, atol=EXACT)
        expected.close(f"crepes|{name}|p_mondrian", by_bin, atol=EXACT)
        expected.equal(f"crepes|{name}|set", [p >= alpha for alpha in alphas])
        expected.equal(f"crepes|{name}|set_class", [by_class >= alpha for alpha in alphas])
        smooth = expected.take(f"crepes|{name}|p_smooth")
        low, high = conformal_p(cal, new, np.zeros(new.shape)), p
        assert (low - EXACT <= smooth).all()
        assert (smooth <= high + EXACT).all()
        theta = (smooth - low) / (high - low)
        np.testing.assert_allclose(conformal_p(cal, new, theta), smooth, atol=EXACT)


def _margin(p: NDArray) -> NDArray:
    """Give how far the best other type is above each type."""
    others = np.stack([np.delete(p, code, axis=1).max(axis=1) for code in range(p.shape[1])], axis=1)
    return others - p


def check_novelty(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    z, x, novel = inputs["z_query"], inputs["x_query"], inputs["novel"] == 1
    p = scaled(z, 1.0)
    plain = type_clouds(inputs["x_train"], inputs["y_train"])
    shrunk = type_clouds(inputs["x_train"], inputs["y_train"], shrink=True)
    ordered = np.sort(p, axis=1)
    ours = {
        "max_softmax": max_softmax(p),
        "max_logit": -z.max(axis=1),
        "energy": energy(z),
        "energy_T2": energy(z, 2.0),
        "entropy": entropy(p),
        "margin": ordered[:, -2] - ordered[:, -1],
        "mahalanobis": plain.distance(x),
        "relative_mahalanobis": plain.relative_distance(x),
        "mahalanobis_ledoit_wolf": shrunk.distance(x),
    }
    for name, scores in ours.items():
        expected.close(name, scores, atol=1e-8, rtol=1e-8)
        expected.close(f"auroc|{name}", auroc(scores, novel), atol=1e-10)
        expected.close(f"fpr95|{name}", missed(scores, novel), atol=1e-10)
        expected.take(f"aupr|{name}")  # depends on how many cells are new, which nobody knows; not offered
    expected.take("ledoit_wolf_shrinkage")  # inside the covariance, whose distances are compared
    expected.all_compared()


CHECKS: dict[str, Callable[[Path, Path], None]] = {
    "calibration": check_calibration,
    "conformal": check_conformal,
    "novelty": check_novelty,
}
