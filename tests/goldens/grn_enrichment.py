"""Cases of gene networks: enrichment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scviz.networks.contract import GeneSet
from scviz.networks.enrichment import enrichment_scores, over_representation, prerank

EXACT = 1e-12
"""The same formulas."""
SCORE = 1e-6
NORMALIZED = 0.02
"""Random sets: equal ones where gseapy draws them alike."""
SHARE = 0.05
"""Of p values and false discovery rates, which random sets give."""


def check_enrichment(folder: Path) -> None:
    """Over-representation against every background, and a ranking."""
    case = json.loads((folder / "enrichment.json").read_text(encoding="utf-8"))
    sets = [GeneSet(name=name, genes=tuple(genes)) for name, genes in case["library"].items()]
    for background, theirs in case["results"].items():
        kind, _, number = background.partition("_")
        given = {"none": None, "int": int(number or 0), "list": case["background_list"]}[kind]
        _check_overlaps(case["query"], sets, given, theirs)
    _check_ranking(case["prerank_input"], sets, case["prerank"])


def _check_overlaps(
    query: list[str], sets: list[GeneSet], background: list[str] | int | None, theirs: dict[str, dict]
) -> None:
    ours = {one.name: one for one in over_representation(query, sets, background).sets}
    assert {name for name, one in ours.items() if one.overlap} == set(theirs)
    assert all(one.p == 1 and np.isnan(one.fdr_hit) for name, one in ours.items() if name not in theirs)
    for name, other in theirs.items():
        one = ours[name]
        assert f"{len(one.overlap)}/{one.n_set}" == other["Overlap"]
        assert sorted(one.overlap) == sorted(other["Genes"])
        numbers = [one.p, one.fdr_hit, one.odds_ratio, one.combined]
        expected = [other[key] for key in ("P-value", "Adjusted P-value", "Odds Ratio", "Combined Score")]
        np.testing.assert_allclose(numbers, expected, rtol=EXACT, atol=0, err_msg=name)


def _check_ranking(scores: dict[str, float], sets: list[GeneSet], theirs: dict[str, dict]) -> None:
    ours = {one.name: one for one in prerank(scores, sets, fewest=1)}
    names = sorted(scores, key=lambda gene: -scores[gene])
    ranking = np.array([scores[gene] for gene in names])
    for name, other in theirs.items():
        one = ours[name]
        own = next(one.genes for one in sets if one.name == name)
        places = np.array([[i for i, gene in enumerate(names) if gene in own]])
        formula = enrichment_scores(ranking, places)
        np.testing.assert_allclose([one.es, formula[0]], other["ES"], rtol=0, atol=SCORE, err_msg=name)
        np.testing.assert_allclose(one.nes, other["NES"], rtol=NORMALIZED, err_msg=name)
        np.testing.assert_allclose(one.p, other["NOM p-val"], rtol=0, atol=SHARE, err_msg=name)
        np.testing.assert_allclose(one.fdr, other["FDR q-val"], rtol=0, atol=SHARE, err_msg=name)
        assert f"{len(one.leading)}/{one.n_set}" == other["Tag %"]
        assert sorted(one.leading) == sorted(other["Lead_genes"].split(";"))


CHECKS: dict[str, Callable[[Path], None]] = {"enrichment": check_enrichment}
"""Checks of the family grn, which is one folder of files; each check takes that folder."""
