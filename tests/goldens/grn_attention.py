"""Cases of gene networks: attention."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scviz.networks.attention import SETTINGS, AttentionSum, influence, ranked_attention, top_targets
from tests.goldens.arrays import load

FLOATS = 1e-6
ROWS = 2e-5  # dot products of six numbers, added in another order


def check_ranks(folder: Path) -> None:
    expected = load(folder / "attention.npz")
    scores = np.einsum("nlhd,nmhd->nhlm", expected["q"], expected["k"])
    np.testing.assert_allclose(scores, expected["raw_scores"], atol=ROWS)
    for raw, wanted in zip(expected["raw_scores"], expected["per_cell"], strict=True):
        np.testing.assert_allclose(ranked_attention(raw, published=True), wanted, atol=FLOATS)


def check_conditions(folder: Path) -> None:
    said, expected = json.loads((folder / "attention.json").read_text()), load(folder / "attention.npz")
    names = {"control": "ctrl", "perturbed": "pert"}
    genes, regulator = said["genes"], len(said["genes"]) - 1
    unperturbed = min(said["conditions"], key=len)  # "TF+ctrl" and "ctrl"
    cells = {
        name: [
            i for i, value in enumerate(said["conditions"]) if (value == unperturbed) == (name == "control")
        ]
        for name in names
    }
    for case, published in (("official_drops_first_cell", True), ("all_cells", False)):
        means = {}
        for name, short in names.items():
            total = AttentionSum(len(genes), published=published)
            for cell in cells[name]:
                total.add(ranked_attention(expected["raw_scores"][cell], published=True))
            means[name] = total.mean()
            wanted = expected[f"mean_{short}_official" if published else f"mean_{short}"]
            np.testing.assert_allclose(means[name], wanted, atol=FLOATS)
        for setting in SETTINGS:
            answer = said["rank"][f"{case}/{setting}"]
            values = influence(means["control"], means["perturbed"], regulator, setting=setting)
            np.testing.assert_allclose(values, answer["scores"], atol=FLOATS)
            top = top_targets(values, len(answer["top5"]))
            theirs = [values[genes.index(gene)] for gene in answer["top5"]]
            np.testing.assert_allclose(np.sort(values[top]), np.sort(theirs), atol=FLOATS)


CHECKS: dict[str, Callable[[Path], None]] = {
    "attention_ranks": check_ranks,
    "attention_conditions": check_conditions,
}
