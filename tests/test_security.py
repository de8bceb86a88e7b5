"""Each promise of SECURITY.md names tests, and these are there."""

from __future__ import annotations

import ast
import re

import pytest

from scviz.settings import ROOT

PROMISES = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")]
PROMISES = [line for line in PROMISES if not line.startswith(("| promise", "| ---"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("promise", PROMISES, ids=lambda line: line[2:50])
def test_every_promise_has_tests_that_are_there(promise: str) -> None:
    _, said, tests, _ = promise.split("|")
    named = NAMED.findall(tests)
    assert named, said
    assert tests.count("`") == 2 * len(named)
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
            f"{file}::{name}"
        )


def test_there_are_promises_to_everybody() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    assert len(PROMISES) > 25
    assert "## Not promised" in text
