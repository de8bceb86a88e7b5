"""Whether sets of types keep their promise, on real data: `python -m benchmarks.coverage FOLDER [--seeds N]`.

The cells of one file are divided at random again and again, as the Annotate page divides those of a reference, so that
calibration and test cells are alike: there, the share of test cells whose set holds their type shall be what was
promised. Prints for each method and promise the mean over the divisions with its 95 % interval; beside it the share of
empty sets and of cells that are named right, and what the spread between divisions shall be. `--groups` holds whole
donors out instead, where nothing is promised. FOLDER holds `pbmc_sorted_3500`, `pbmc3k_labelled` and `kang_ctrl_8684`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from scviz.metrics.conformal import (
    conformal_quantile,
    coverage_of,
    deviation_by_chance,
    lac_scores,
    own_scores,
)
from scviz.metrics.evidence import bootstrap
from scviz.tasks.transfer import Request
from scviz.tasks.transfer.genes import both_have, fit_space
from scviz.tasks.transfer.held_out import sets_of
from scviz.tasks.transfer.labeled import Labeled, labeled_cells
from scviz.tasks.transfer.learning import Cells, Scored, plain_methods
from scviz.tasks.transfer.rules import probabilities, temperature_of

FILES = ("pbmc_sorted_3500", "pbmc3k_labelled", "kang_ctrl_8684")
PROMISES = (0.8, 0.9, 0.95, 0.99)
LABELS = "cell_type"
N_ASKED = 50
"""Cells that are handed in to be named; nothing is looked at of them."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Held:
    """What the test cells of one division say of one method and promise."""

    covered: float
    empty: float
    right: float
    n_calibrating: int
    n_test: int


def divided(adata: AnnData, *, seed: int, groups: str | None) -> tuple[Labeled, list[Scored]]:
    """Divide the cells and learn from the training cells."""
    request = Request(
        dataset="asked", reference="file", label_key=LABELS, seed=seed, group_key=groups, few_genes=True
    )
    inputs = labeled_cells(request, adata)
    asked = adata[:N_ASKED].copy()
    both = both_have(inputs.adata, asked)
    cells = Cells(
        reference=inputs.adata,
        query=asked,
        codes=inputs.codes,
        train=inputs.split.train,
        judged=np.concatenate([inputs.split.validation, inputs.calibration, inputs.split.test]),
        n_types=len(inputs.types),
    )
    space = fit_space(both.reference, both.genes, cells.train, seed=seed)
    return inputs, plain_methods(cells, space, reference=both.reference, query=both.query)[1]


def held(one: Scored, inputs: Labeled) -> dict[float, Held]:
    """Say of a method how many sets hold the type, by promise."""
    n_validation, n_calibrating = len(inputs.split.validation), len(inputs.calibration)
    known = inputs.codes[np.concatenate([inputs.split.validation, inputs.calibration, inputs.split.test])]
    test = n_validation + n_calibrating
    shares = probabilities(one.judged, temperature_of(one.judged[:n_validation], known[:n_validation]))
    odd = own_scores(lac_scores(shares[n_validation:test]), known[n_validation:test])
    right = float((shares[test:].argmax(axis=1) == known[test:]).mean())
    found = {}
    for promise in PROMISES:
        bar = min(conformal_quantile(odd, promise), 1.0)
        of_sets = coverage_of(sets_of(shares[test:], bar), known[test:])
        found[promise] = Held(
            covered=of_sets.observed.mean,
            empty=of_sets.empty,
            right=right,
            n_calibrating=n_calibrating,
            n_test=len(known) - test,
        )
    return found


def report(adata: AnnData, *, seeds: int, groups: str | None) -> None:
    """Print a row for each method and promise."""
    rows: defaultdict[tuple[str, float], list[Held]] = defaultdict(list)
    for seed in range(seeds):
        inputs, scored = divided(adata, seed=seed, groups=groups)
        for one in scored:
            for promise, found in held(one, inputs).items():
                rows[one.name, promise].append(found)
    for (name, promise), several in rows.items():
        covered = np.array([one.covered for one in several])
        span = bootstrap(covered)
        known = {"n_calibrating": several[0].n_calibrating, "n_judged": several[0].n_test}
        chance = deviation_by_chance(promise, **known)
        print(
            f"  {100 * promise:.0f} % promised: {span.mean:.4f} ({span.low:.4f} to {span.high:.4f}), divisions "
            f"{covered.min():.3f} to {covered.max():.3f}, deviation {covered.std(ddof=1):.4f} (expected "
            f"{chance:.4f}), empty {np.mean([one.empty for one in several]):.3f}, right "
            f"{np.mean([one.right for one in several]):.3f}  {name}",
            flush=True,
        )


def main() -> None:
    """Print a table for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", default="", help="files whose name begins with this")
    parser.add_argument("--groups", help="hold whole groups of this column out")
    options = parser.parse_args()
    for file in FILES:
        if file.startswith(options.only):
            adata = anndata.read_h5ad(options.folder / file / f"{file}.h5ad")
            print(f"\n{file}: {adata.n_obs:,} cells, {options.seeds} divisions", flush=True)
            report(adata, seeds=options.seeds, groups=options.groups)


if __name__ == "__main__":
    main()
