"""Cases of differential expression: genes that tell groups of cells apart, as scanpy ranks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from scviz.datasets.columns import COUNTS
from scviz.datasets.donor_sums import donor_sums
from scviz.datasets.layers import write_blocks
from scviz.metrics.differential import moments, welch_t
from scviz.metrics.group_values import NEITHER
from scviz.metrics.two_groups import FIRST, SECOND, GeneTable, two_groups, welch_p
from scviz.tasks.group_genes.deseq2 import GROUP, wald_test
from tests.goldens.arrays import Expected, load

METHODS = {
    "t-test": lambda cells, sides: two_groups([cells], sides, method="welch"),
    "wilcoxon": lambda cells, sides: two_groups([cells], sides, method="wilcoxon", tie_correct=False),
    "wilcoxon_tie": lambda cells, sides: two_groups([cells], sides, method="wilcoxon"),
}
FLOAT = 1e-4  # scanpy keeps scores and changes as float32
ABSENT = 15  # changes beyond this are of genes that a side lacks, where the added 1e-9 decides


def check_rank_genes(case: Path, folder: Path) -> None:
    config, inputs, expected = (
        json.loads((case / "config.json").read_text()),
        load(case / "inputs.npz"),
        Expected(case),
    )
    groups, label = config["groups"], inputs["label"]
    cells = sparse.csc_matrix(expected.take("X"))
    for against in ("rest", config["reference"]):
        for row, group in enumerate(groups):
            if group == against:
                continue
            outside = label != group if against == "rest" else label == against
            sides = np.where(label == group, FIRST, np.where(outside, SECOND, NEITHER))
            for method, compare in METHODS.items():
                table = compare(cells, sides)
                _same(expected, f"{method}|{against}", row, table)
                _same_order(expected, f"{method}|{against}", row, table)
            np.testing.assert_allclose(table.shares[0], expected.take(f"pts|{against}")[row], atol=FLOAT)
            if against == "rest":
                np.testing.assert_allclose(table.shares[1], expected.take("pts_rest|rest")[row], atol=FLOAT)
            _overestimated(expected, f"t-test_overestim_var|{against}", row, (expected.take("X"), sides))
    for name in ("scores", "order"):  # a classifier's weights, which are no test and are not offered
        expected.take(f"logreg|rest|{name}")
    expected.all_compared()


def _same(expected: Expected, name: str, row: int, table: GeneTable) -> None:
    np.testing.assert_allclose(table.score, expected.take(f"{name}|scores")[row], atol=FLOAT, rtol=FLOAT)
    change = expected.take(f"{name}|logfoldchanges")[row]
    for which, tolerance in ((np.abs(change) < ABSENT, FLOAT), (np.abs(change) >= ABSENT, 1e-2)):
        np.testing.assert_allclose(
            table.log2_fold_change[which], change[which], atol=FLOAT, rtol=tolerance, err_msg=name
        )
    for ours, field in ((table.p_value, "pvals"), (table.adjusted_p, "pvals_adj")):
        _same_p(ours, expected.take(f"{name}|{field}")[row], f"{name}|{field}")


def _same_p(ours: NDArray, theirs: NDArray, name: str) -> None:
    theirs = np.where(np.isnan(theirs), 1.0, theirs)
    np.testing.assert_array_equal(ours == 0, theirs == 0, err_msg=name)
    some = theirs > 0
    np.testing.assert_allclose(np.log(ours[some]), np.log(theirs[some]), rtol=1e-3, atol=1e-3, err_msg=name)


def _same_order(expected: Expected, name: str, row: int, table: GeneTable) -> None:
    """Compare the ranking by score, in which ties have no promised order."""
    theirs = expected.take(f"{name}|order")[row]
    np.testing.assert_allclose(
        table.score[theirs], np.sort(table.score)[::-1], atol=FLOAT, rtol=FLOAT, err_msg=name
    )


def _overestimated(expected: Expected, name: str, row: int, given: tuple[NDArray, NDArray]) -> None:
    """Check Welch's test with the other cells counted as if they were as few as those of the group."""
    values, sides = given
    own, other = (moments(sparse.csr_matrix(values[sides == side])) for side in (FIRST, SECOND))
    other = replace(other, n_cells=own.n_cells)
    t, p = welch_t(own, other), welch_p(own, other)
    np.testing.assert_allclose(t, expected.take(f"{name}|scores")[row], atol=FLOAT, rtol=FLOAT)
    _same_p(p, expected.take(f"{name}|pvals")[row], name)
    for field in ("logfoldchanges", "pvals_adj", "order"):  # as of the t-test
        expected.take(f"{name}|{field}")


def check_pseudobulk(case: Path, folder: Path) -> None:
    """Sum by donor as the product does, from an opened file, then test."""
    config, inputs = json.loads((case / "config.json").read_text()), load(case / "inputs.npz")
    expected = Expected(case)
    donors = np.unique(inputs["donor"])
    with h5py.File(folder / COUNTS, "w") as file:
        counts = sparse.csr_matrix(inputs["counts"], dtype=np.float32)
        write_blocks(file, "X", [counts[:30], counts[30:]], n_genes=counts.shape[1])
    sums = donor_sums(folder, np.searchsorted(donors, inputs["donor"]), len(donors))
    expected.equal("pseudobulk", sums)
    case_, control = config["contrast"][1:]
    values = {"covariate": config["batch"]} if "batch" in config["design"] else {}
    values[GROUP] = [{case_: "a", control: "b"}[one] for one in config["condition"]]
    table = wald_test(sums, values)
    np.testing.assert_allclose(table.log2_fold_change, expected.take("log2fc"), atol=1e-3)
    np.testing.assert_allclose(table.score, expected.take("stat"), rtol=1e-2, atol=1e-3)
    for ours, name in ((table.p_value, "p"), (table.adjusted_p, "padj_filter")):
        theirs = expected.take(name)
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs), err_msg=name)
        np.testing.assert_allclose(np.log(ours), np.log(theirs), rtol=1e-2, atol=1e-4, err_msg=name)


CHECKS: dict[str, Callable[[Path, Path], None]] = {
    "rank_genes_groups": check_rank_genes,
    "pseudobulk_deseq2": check_pseudobulk,
}
