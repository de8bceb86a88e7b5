"""How the lines must read: few branches and positional parameters, shapes and errors said, names that are text."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from radon.complexity import cc_visit

from scviz.plots.plain_text import TEMPLATES
from scviz.settings import ROOT
from tests.markup import Pages

FILES = sorted([ROOT / "app.py", *(ROOT / "scviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
MARKED = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
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


def test_every_name_is_escaped_before_it_is_markdown() -> None:
    assert Pages(MARKED).found() == {}


def test_the_check_sees_what_is_not_escaped(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(
        "def said(info):\n"
        "    st.caption(f'{len(info):,} cells of {escaped(info.name)}')\n"
        "    shown(info.name)\n"
        "    (st.error if info else st.info)(f'{info.n:,} {info.hint}')\n"
        "def shown(words):\n"
        "    st.markdown(f'**{words}**', help=words)\n",
        "utf-8",
    )
    assert Pages([page]).found() == {
        "page.py:3:10": "info.name",
        "page.py:4:36": "f'{info.n:,} {info.hint}'",
    }


def _calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.name}:{node.lineno}", node


def test_every_figure_of_a_page_has_its_names_as_text() -> None:
    drawn = {
        place: ast.unparse(call.args[0])
        for place, call in _calls("pages")
        if isinstance(call.func, ast.Attribute) and call.func.attr == "plotly_chart"
    }
    assert drawn
    assert {place: text for place, text in drawn.items() if not text.startswith("as_text(")} == {}


def test_what_is_said_under_the_pointer_is_never_made_from_a_name() -> None:
    made = {
        place: ast.unparse(one.value)
        for place, call in _calls("scviz/plots")
        for one in call.keywords
        if one.arg in TEMPLATES
        and not isinstance(one.value, ast.Constant)
        and not ast.unparse(one.value).isupper()
    }
    assert made == {}


def test_json_is_read_by_the_one_reader_that_bounds_it() -> None:
    own = "plain_json.py"
    read = {
        place
        for folder in ("scviz", "pages")
        for place, call in _calls(folder)
        if ast.unparse(call.func) in ("json.load", "json.loads") and not place.startswith(own)
    }
    assert read == set()


def test_tables_are_written_by_the_one_writer_that_guards_cells() -> None:
    wrote = {
        place
        for folder in ("scviz", "pages")
        for place, call in _calls(folder)
        if isinstance(call.func, ast.Attribute)
        and (ast.unparse(call.func) in ("csv.writer", "csv.DictWriter") or call.func.attr == "to_csv")
        and not place.startswith("csv_files.py")
    }
    assert wrote == set()


@pytest.mark.parametrize("file", sorted((ROOT / "benchmarks").rglob("*.py")), ids=_name)
def test_a_benchmark_finds_what_it_imports(file: Path) -> None:
    importlib.import_module(_name(file.with_suffix("")).replace("/", "."))
