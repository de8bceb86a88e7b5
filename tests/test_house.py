"""How the lines must read: no function too branched, few positional parameters, shapes and errors said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
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


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") for part in name.split("."))


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
        if not _is_public(name):
            continue
        annotations = [one.annotation for one in (*function.args.args, *function.args.kwonlyargs)]
        written = [ast.unparse(one) for one in [*annotations, function.returns] if one is not None]
        if any(ARRAY.search(one) for one in written) and not SHAPE.search(ast.get_docstring(function) or ""):
            found.append(name)
    return found


def _silent(path: Path) -> list[str]:
    """Name public functions that raise and do not say so."""
    return [
        name
        for name, function in _functions(path)
        if _is_public(name)
        and _raises(function.body)
        and "Raises\n---" not in (ast.get_docstring(function) or "")
    ]


def _raises(body: Iterable[ast.AST]) -> bool:
    """Tell whether something is raised here, but for what is caught and raised again, or raised by inner functions."""
    return any(
        node.exc is not None if isinstance(node, ast.Raise) else _raises(ast.iter_child_nodes(node))
        for node in body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)
    )


CHECKS = {
    "branches": _branched,
    "positional parameters": _positional,
    "shapes": _shapeless,
    "what is raised": _silent,
}


@pytest.mark.parametrize("what", CHECKS)
def test_every_function_keeps_to_the_limit(what: str) -> None:
    assert {_name(path): found for path in FILES if (found := CHECKS[what](path))} == {}
