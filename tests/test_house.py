"""How the lines must read: no function too branched, few positional parameters, a shape for every array."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from radon.complexity import cc_visit

from scviz.settings import ROOT

FILES = sorted([ROOT / "app.py", *(ROOT / "scviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
MOST_COMPLEX = 10
MOST_POSITIONAL = 3
ARRAY = re.compile(r"\b(NDArray|ArrayLike|csr_matrix|csc_matrix|csr_array|csc_array|Tensor)\b")
SHAPE = re.compile(r"\([\w.…*+/^ -]*,[\w.…*+/^, -]*\)")
"""Such as (N, G), (M,), (2, n) or (..., G)."""


def _functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Name all functions of a file, also those of classes, but none within functions."""

    def within(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from within(node.body, f"{prefix}{node.name}.")

    yield from within(ast.parse(path.read_text("utf-8")).body, "")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _branched(path: Path) -> list[str]:
    blocks = cc_visit(path.read_text("utf-8"))
    return [f"{block.name} {block.complexity}" for block in blocks if block.complexity > MOST_COMPLEX]


def _positional(path: Path) -> list[str]:
    long = []
    for name, function in _functions(path):
        own = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        own = own[1:] if own[:1] in (["self"], ["cls"]) else own
        if len(own) > MOST_POSITIONAL:
            long.append(f"{name} {len(own)}")
    return long


def _shapeless(path: Path) -> list[str]:
    found = []
    for name, function in _functions(path):
        if any(part.startswith("_") for part in name.split(".")):
            continue
        annotations = [one.annotation for one in (*function.args.args, *function.args.kwonlyargs)]
        written = [ast.unparse(one) for one in [*annotations, function.returns] if one is not None]
        if any(ARRAY.search(one) for one in written) and not SHAPE.search(ast.get_docstring(function) or ""):
            found.append(name)
    return found


CHECKS = {"branches": _branched, "positional parameters": _positional, "shapes": _shapeless}


@pytest.mark.parametrize("what", CHECKS)
def test_every_file_keeps_to_the_limit(what: str) -> None:
    assert {_name(path): found for path in FILES if (found := CHECKS[what](path))} == {}
