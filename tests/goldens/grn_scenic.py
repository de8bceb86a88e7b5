"""Cases of gene networks: scenic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.stats import spearmanr

from scviz.networks.activity import (
    aucell,
    detected_quantiles,
    specificity,
    threshold,
)
from scviz.networks.boosting import boosted_network, correlations, edges_of
from scviz.networks.contract import Edges, GeneSet
from scviz.networks.motifs import (
    Pruning,
    Rankings,
    enriched_motifs,
    read_annotations,
    regulons_of,
)
from scviz.networks.regulons import CoexpressionModule, Families, coexpression_modules, regulation
from tests.goldens.arrays import load
from tests.goldens.published_aucell import published_aucell, ranks

EXACT = 1e-12
"""The same sums in another order."""
ENRICHED = 1e-9
FITTED = 1e-4
"""Found by a minimizer."""


def _close(ours: NDArray, theirs: NDArray, tolerance: float, name: str) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=name)


def check_aucell(folder: Path) -> None:
    """Ranks, and activity on both scales, from matrices with and without equal values."""
    arrays, words = load(folder / "aucell.npz"), json.loads((folder / "aucell.json").read_text())
    genes = words["genes"]
    sets = [GeneSet(name=name, genes=tuple(members)) for name, members in words["gene_sets"].items()]
    weighted = [
        GeneSet(name=one.name, genes=one.genes, weights=tuple(words["weights"][one.name][gene] for gene in one.genes))
        for one in sets
    ]  # fmt: skip
    compared = set()
    for name, theirs in arrays.items():
        kind, _, rest = name.partition("_")
        if kind == "E":
            quantiles = words.get(f"auc_threshold_quantiles_{rest}")
            if quantiles is not None:
                ours = detected_quantiles(theirs)
                _close([ours[key] for key in quantiles], list(quantiles.values()), EXACT, name)
        elif kind == "rank":
            _check_ranks(arrays[f"E_{rest}"], theirs)
        elif kind == "pyscenic":
            *how, matrix, share = rest.split("_")
            found = published_aucell(
                arrays[f"rank_{matrix}"].astype(np.int64),
                genes,
                weighted if "weighted" in how else sets,
                share=float(share),
                weighted="weighted" in how,
                normalized="normalized" in how,
            )
            _close(found.auc, theirs, EXACT, name)
        elif kind == "decoupler":
            matrix, n_top = rest.split("_nup")
            top = None if n_top == "None" else int(n_top)
            found = aucell(arrays[f"E_{matrix}"], genes, sets, n_top=top, fewest_genes=3)
            assert found.names == tuple(one.name for one in sets)
            _close(found.auc, theirs, EXACT, name)
        compared.add(name)
    assert compared == set(arrays)


def _check_ranks(expression: NDArray, theirs: NDArray) -> None:
    """Ours are theirs for the seed that was used; without equal values for any."""
    ordered = np.take_along_axis(expression, np.argsort(theirs, axis=1), axis=1)
    assert (np.diff(ordered, axis=1) <= 0).all()
    if len(np.unique(expression[0])) == expression.shape[1]:
        np.testing.assert_array_equal(ranks(expression, seed=0), theirs)


def check_specificity(folder: Path) -> None:
    """Specificity in types, and thresholds of activity."""
    arrays = load(folder / "rss.npz")
    types = np.array([arrays["cell_types"].tolist().index(label) for label in arrays["labels"].tolist()])
    ours = specificity(arrays["auc"], types, len(arrays["cell_types"]))
    _close(ours, arrays["rss"], EXACT, "rss")
    thresholds = arrays["bic_thresholds"]
    for column, theirs in enumerate(thresholds.tolist()):
        assert any(
            abs(threshold(arrays["auc"][:, column], seed=seed) - theirs) < FITTED for seed in (0, 123, 777)
        ), f"threshold {column}"


def check_boosting(folder: Path) -> None:
    """Every strength and number of trees."""
    arrays, expected = load(folder / "grnboost.npz"), _expected(folder)
    genes, regulators = expected["genes"], expected["tfs"]
    found = boosted_network(
        arrays["expression"],
        [genes.index(gene) for gene in regulators],
        range(len(genes)),
        seed=expected["grnboost_seed"],
        published=True,
    )
    if sklearn.__version__ == expected["versions"]["sklearn"]:
        _close(found.importance, arrays["importance"], EXACT, "importance")
        assert found.n_trees.tolist() == [expected["n_estimators"][gene] for gene in genes]
    else:
        assert spearmanr(found.importance.ravel(), arrays["importance"].ravel()).statistic > 0.98


def check_modules(folder: Path) -> None:
    """Correlation and direction of links; modules of every family."""
    expected, edges, rho = _network(folder)
    place = {pair: i for i, pair in enumerate(zip(edges.sources, edges.targets, strict=True))}
    rows = np.array([place[regulator, target] for regulator, target, *_ in expected["regulation"]])
    np.testing.assert_array_equal(regulation(rho)[rows], [row[2] for row in expected["regulation"]])
    _close(rho[rows], [row[3] for row in expected["regulation"]], 1e-10, "rho")
    ours = [(one.regulator, one.direction, one.family, sorted(one.weights)) for one in _modules(folder)]
    theirs = [(one["tf"], *_context(one["context"]), sorted(one["genes"])) for one in expected["modules"]]
    assert sorted(ours) == sorted(theirs)


def check_pruning(folder: Path) -> None:
    """Enriched motifs with their targets, as pySCENIC gives them and aligned; regulons."""
    expected = _expected(folder)
    for key, published in (("enriched", True), ("enriched_correctly_aligned", False)):
        ours = {
            (one.regulator, one.direction, one.family, one.motif): one
            for one in _pruned(folder, published=published)
        }
        theirs = {(one["tf"], *_context(one["context"]), one["motif"]): one for one in expected[key]}
        assert ours.keys() == theirs.keys()
        for name, one in ours.items():
            other = theirs[name]
            _close([one.auc, one.nes], [other["auc"], other["nes"]], ENRICHED, str(name))
            assert one.rank_at_max == other["rank_at_max"], name
            assert one.n_enriched == other.get("n_enriched_before_annotation", one.n_enriched)
            _same_weights(one.targets, dict(other["targets"]))
    regulons = {one.name: one for one in regulons_of(_pruned(folder, published=True))}
    assert regulons.keys() == {one["name"] for one in expected["regulons"]}
    for other in expected["regulons"]:
        one = regulons[other["name"]]
        assert one.regulator == other["tf"]
        _close([one.score], [other["score"]], ENRICHED, one.name)
        _same_weights(one.weights, other["gene2weight"])


def _same_weights(ours: dict[str, float], theirs: dict[str, float]) -> None:
    assert ours.keys() == theirs.keys()
    _close([ours[gene] for gene in theirs], list(theirs.values()), ENRICHED, "weights")


def _expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "scenic_expected.json").read_text())
    return found


def _network(folder: Path) -> tuple[dict[str, Any], Edges, NDArray]:
    """The links of the case with the correlation of each."""
    arrays, expected = load(folder / "grnboost.npz"), _expected(folder)
    genes, regulators = expected["genes"], expected["tfs"]
    edges = edges_of(arrays["importance"], regulators, genes)
    rho = correlations(arrays["expression"], [genes.index(gene) for gene in regulators], range(len(genes)))
    rows = [regulators.index(gene) for gene in edges.sources]
    return expected, edges, rho[rows, [genes.index(gene) for gene in edges.targets]]


def _modules(folder: Path) -> list[CoexpressionModule]:
    expected, edges, rho = _network(folder)
    chosen = expected["module_params"]
    families = Families(
        quantiles=tuple(chosen["thresholds"]),
        top_targets=tuple(chosen["top_n_targets"]),
        top_regulators=tuple(chosen["top_n_regulators"]),
        fewest_genes=chosen["min_genes"],
    )
    return coexpression_modules(edges, rho, families)


def _pruned(folder: Path, *, published: bool) -> list[Any]:
    chosen = _expected(folder)["ctx_params"]
    pruning = Pruning(
        auc_share=chosen["auc_threshold"],
        least_nes=chosen["nes_threshold"],
        rank_threshold=chosen["rank_threshold"],
        published=published,
    )
    rankings = Rankings(folder / "toy.genes_vs_motifs.rankings.feather")
    annotations = read_annotations(folder / "toy_motifs.tbl")
    return [
        one
        for module in _modules(folder)
        for one in enriched_motifs(module, rankings, annotations, pruning=pruning)
    ]


def _context(words: list[str]) -> tuple[str, str]:
    """The direction and the family among the words of a module."""
    (direction,) = {"activating", "repressing"} & set(words)
    (family,) = [word for word in words if word.startswith(("weight", "top"))]
    return direction, family


CHECKS: dict[str, Callable[[Path], None]] = {
    "aucell": check_aucell,
    "specificity": check_specificity,
    "boosting": check_boosting,
    "modules": check_modules,
    "pruning": check_pruning,
}
