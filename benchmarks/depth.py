"""Null genes called changed where one condition is read more deeply: `python -m benchmarks.depth`.

Counts summed by donor, in which no gene differs; the share of tested genes with p below 0.05, which should be 5 %, with
the counts as they are and thinned to equal depth as Conditions does.
"""

from __future__ import annotations

import numpy as np

from scviz.metrics.donors import design_of
from scviz.metrics.thinning import evened
from scviz.tasks.conditions.changed_genes import genes_of
from tests.donors import sums_of_donors

DEPTHS = (1.0, 2.0, 5.0, 20.0)
DESIGNS = ((4, 4, False), (8, 3, False), (3, 8, False), (4, 4, True), (8, 8, True))
N_TIMES = 30


def rates(n: int, m: int, *, paired: bool, depth: float) -> tuple[float, float]:
    """Give the share of null genes below 0.05 as they are, and thinned."""
    own = np.arange(n)
    design = design_of(np.repeat([0, 1], [n, m]), np.concatenate([own, own if paired else n + np.arange(m)]))
    passing, tested = np.zeros(2), np.zeros(2)
    for seed in range(N_TIMES):
        rng = np.random.default_rng(seed)
        sums = sums_of_donors(n, m, rng, depth=depth, paired=paired)
        for i, one in enumerate((sums, evened(sums, design, rng).sums)):
            found = genes_of(one, design)
            passing[i] += np.sum(found.p_value < 0.05)
            tested[i] += len(found.genes)
    before, after = passing / tested
    return float(before), float(after)


def main() -> None:
    """Print a table."""
    print("| donors | " + " | ".join(f"{depth:g} times" for depth in DEPTHS) + " |")
    print("| --- " * (len(DEPTHS) + 1) + "|")
    for n, m, paired in DESIGNS:
        cells = [rates(n, m, paired=paired, depth=depth) for depth in DEPTHS]
        name = f"{n}, in both conditions" if paired else f"{n} and {m}"
        print(f"| {name} | " + " | ".join(f"{100 * a:.1f}, {100 * b:.1f}" for a, b in cells) + " |")


if __name__ == "__main__":
    main()
