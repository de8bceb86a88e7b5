"""How often intervals of the composition hold what is true: `python -m benchmarks.composition`.

Cells of eight types are drawn for 2, 3, 4 and 8 donors in each condition, with shares that differ between donors as
they do in blood of lupus patients. Compared are the t test of the Conditions page, a bootstrap over donors on the same
log-ratios, and regression with Dirichlet-multinomial counts. Nothing differs, or one type doubles.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from scipy.stats import norm

from scviz.metrics.composition import frequent, log_ratios
from scviz.metrics.donors import Design, design_of, differences
from scviz.metrics.evidence import fdr

SHARES = np.array([0.43, 0.21, 0.12, 0.09, 0.07, 0.05, 0.02, 0.01])
"""Of eight types, as in `kang_ifnb_2000`."""
CONCENTRATION = 20.0
"""Of the Dirichlet distribution of the shares of donors: 17 to 25 fit the patients of Kang et al. (2018)."""
DONORS = (2, 3, 4, 8)
RARE = 5
"""The type that doubles."""
CELLS = {"equal samples": (1000, 1000), "a fifth of the cells in one condition": (1500, 300)}


@dataclass(frozen=True)
class Found:
    """Intervals of K types and whether each passes, several types corrected."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    passes: NDArray[np.bool_]


Method = Callable[[NDArray[np.int64], Design], Found]


def t_test(counts: NDArray[np.int64], design: Design, *, floor: bool = True) -> Found:
    """As the page does it: (S, K) counts."""
    ratios, least = log_ratios(counts, np.ones(counts.shape[1], dtype=bool))
    found = differences(ratios, design, least=least if floor else None)
    half = found.half_width()
    return Found(found.mean - half, found.mean + half, fdr(found.p_value) <= 0.05)


def bootstrap(counts: NDArray[np.int64], design: Design) -> Found:
    """Draw donors again, 999 times, and take percentiles: (S, K) counts."""
    ratios, _ = log_ratios(counts, np.ones(counts.shape[1], dtype=bool))
    rng = np.random.default_rng(0)
    first, second = ratios[design.first], ratios[design.second]
    one = rng.integers(len(first), size=(999, len(first)))
    two = one if design.paired else rng.integers(len(second), size=(999, len(second)))
    drawn = first[one].mean(axis=1) - second[two].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    p = 2 * np.minimum((drawn <= 0).mean(axis=0), (drawn >= 0).mean(axis=0))
    return Found(low, high, fdr(np.minimum(p + 1e-3, 1)) <= 0.05)


def dirichlet_multinomial(counts: NDArray[np.int64], design: Design) -> Found:
    """Fit concentrations of K types in both conditions to (S, K) counts; Wald intervals of their centered log-ratio."""
    n_types = counts.shape[1]
    side = np.zeros(len(counts))
    side[design.first] = 1.0
    totals = counts.sum(axis=1)

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        alpha = np.exp(x[:n_types] + np.outer(side, x[n_types:]))  # (S, K)
        whole = alpha.sum(axis=1)
        value = np.sum(gammaln(whole) - gammaln(whole + totals))
        value += np.sum(gammaln(counts + alpha) - gammaln(alpha))
        slope = alpha * ((digamma(whole) - digamma(whole + totals))[:, None])
        slope += alpha * (digamma(counts + alpha) - digamma(alpha))
        return -float(value), -np.concatenate([slope.sum(axis=0), side @ slope])

    start = np.concatenate([np.log(counts.mean(axis=0) / totals.mean() * 20 + 0.05), np.zeros(n_types)])
    fit = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-9, 9)] * 2 * n_types)
    step = 1e-4
    rows = [(loss(fit.x + step * e)[1] - loss(fit.x - step * e)[1]) / (2 * step) for e in np.eye(2 * n_types)]
    covariance = np.linalg.pinv(np.array(rows))[n_types:, n_types:]
    center = np.eye(n_types) - 1 / n_types
    mean = center @ fit.x[n_types:] / np.log(2)
    error = np.sqrt(np.clip(np.diag(center @ covariance @ center.T), 1e-9, None)) / np.log(2)
    p = 2 * norm.sf(np.abs(mean) / error)
    return Found(mean - 1.96 * error, mean + 1.96 * error, fdr(p) <= 0.05)


METHODS: dict[str, Method] = {
    "t test on centered log-ratios": t_test,
    "the same, without error of counting": lambda counts, design: t_test(counts, design, floor=False),
    "bootstrap over donors on them": bootstrap,
    "Dirichlet-multinomial regression": dirichlet_multinomial,
}


def simulate(
    rng: np.random.Generator, n_donors: int, *, cells: tuple[int, int], paired: bool, change: float
) -> tuple[NDArray[np.int64], Design]:
    """Draw (S, K) cells, the first condition first; its RARE type has `change` times the share."""
    base = rng.dirichlet(CONCENTRATION * SHARES, size=n_donors)
    other = base if paired else rng.dirichlet(CONCENTRATION * SHARES, size=n_donors)
    if paired:  # what a donor's own samples differ by
        base, other = (np.stack([rng.dirichlet(100 * row + 0.02) for row in one]) for one in (base, other))
    base = base.copy()
    base[:, RARE] *= change
    base /= base.sum(axis=1, keepdims=True)
    sizes = [np.round(mean * rng.lognormal(0, 0.4, n_donors)).astype(int) + 20 for mean in cells]
    pairs = ((base, sizes[0]), (other, sizes[1]))
    counts = np.concatenate([[rng.multinomial(n, p) for p, n in zip(*one, strict=True)] for one in pairs])
    donors = np.arange(2 * n_donors) % n_donors if paired else np.arange(2 * n_donors)
    return counts, design_of(np.repeat([0, 1], n_donors), donors)


def measure(method: Method, n_times: int, seed: int, **how: object) -> dict[str, float]:
    """Return the share of intervals that hold the truth, of datasets in which a type wrongly passes, and of finds."""
    rng = np.random.default_rng(seed)
    change = float(how["change"])  # type: ignore[arg-type]
    held, wrong, seen = [], [], []
    for _ in range(n_times):
        counts, design = simulate(rng, **how)  # type: ignore[arg-type]
        sides = np.repeat([0, 1], len(counts) // 2)
        kept = frequent(counts, sides)
        found = method(counts[:, kept], design)
        truth = np.where(np.arange(len(SHARES)) == RARE, np.log2(change), 0.0)[kept]
        truth -= truth.mean()
        held.append(((found.low <= truth) & (truth <= found.high)).mean())
        wrong.append(found.passes.any())
        if kept[RARE]:
            seen.append(found.passes[np.flatnonzero(kept).tolist().index(RARE)])
    return {"held": float(np.mean(held)), "any": float(np.mean(wrong)), "seen": float(np.mean(seen))}


def main() -> None:
    """Print a table for each case."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=1000)
    times = options.parse_args().times
    for paired in (False, True):
        for name, cells in CELLS.items():
            print(f"\n{'the same donors' if paired else 'other donors'} in both conditions, {name}\n")
            print("| method | donors | intervals that hold | a type passes, of none | doubled type found |")
            print("| --- | --- | --- | --- | --- |")
            for title, method in METHODS.items():
                if paired and method is dirichlet_multinomial:
                    continue
                for n_donors in DONORS:
                    how = {"n_donors": n_donors, "cells": cells, "paired": paired}
                    n_times = times if method is not dirichlet_multinomial else max(50, times // 5)
                    none = measure(method, n_times, 0, **how, change=1.0)
                    two = measure(method, n_times, 1, **how, change=2.0)
                    shown = " | ".join(f"{100 * x:.1f} %" for x in (none["held"], none["any"], two["seen"]))
                    print(f"| {title} | {n_donors} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
