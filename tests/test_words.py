"""One word for one thing, the one that the field says: no page, message, command or README says another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scviz.settings import ROOT

SAY = {
    r"guess that reads no cell|blind guess": "frequency baseline",
    r"working out the price|opened prices|no price:": "estimating time and memory; estimate",
    r"passes over the cells": "maximum epochs; epoch",
    r"cells per update": "batch size",
    r"a head, on the model as it is|adapters and a head|what its authors train": "Frozen model + classifier, ...",
    r"the head reads|as its authors do\b": "pooling: as published",
    r"least cosine": "minimum cosine similarity",
    r"other genes in its place": "expression-matched control regulators",
    r"takes for alike": "similar embeddings are placed close together",
    r"that differ in depth alone": "reduces the effect of sequencing depth",
    r"tested for more of these genes": "over-representation test",
    r"genes expressed alike|genes of like expression|genes that are expressed alike": "expression-matched random genes",
    r"farther than random|no farther than": "larger than / not larger than expression-matched random genes",
    r"\w+ cannot be\.|make no map|is no share": "<field> must be <bounds> (got <value>)",
    r"^which (genes|run|links|cells)\?": "No gene was selected.",
    r"terms of genes": "gene annotations (GO)",
    r"(table|regulators) of (the )?known links|download known links|table of links": "prior network (TF - target)",
    r"take (some|them|it|weights) in\b": "import",
    r"thinned": "down-sampled",
    r"ids? of (the )?weights": "id of the checkpoint",
    r"in-silico shift": "in-silico perturbation",
    r"held against": "compared with",
    r"name cell types": "annotate cell types",
    r"colour|normalis|quantis|labelled|licence\b|programme": "American spelling",
}
"""What is not said, as a pattern, and what is said instead."""
FILES = [
    ROOT / "README.md",
    ROOT / "app.py",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "pages").rglob("*.py")),
    *sorted((ROOT / "scviz").rglob("*.py")),
]


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Give what a reader of the product may see: the lines of a text, the strings of code that hold a space."""
    if path.suffix != ".py":
        yield from enumerate(path.read_text("utf-8").splitlines(), 1)
        return
    tree = ast.parse(path.read_text("utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in documentation:
            continue
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


@pytest.mark.parametrize("pattern", SAY)
def test_one_word_is_said_for_one_thing(pattern: str) -> None:
    said = [
        f"{path.relative_to(ROOT)}:{line}: {text.strip()[:80]}"
        for path in FILES
        for line, text in _texts(path)
        if re.search(pattern, text, re.IGNORECASE)
    ]
    assert said == [], f"say: {SAY[pattern]}"
