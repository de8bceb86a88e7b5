"""A fifth model is a folder and a word: with both, the contract tests and the Models page take it up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scviz.settings import ROOT

FILES = (
    "__init__",
    "config",
    "tokenizer",
    "edits",
    "network",
    "checkpoint",
    "token_means",
    "model",
    "pretraining",
    "screen",
)

CARDS = """
import streamlit.testing.v1 as testing

page = testing.AppTest.from_file("app.py", default_timeout=120)
page.switch_page("pages/models.py")
page.run()
if page.exception or "Ranker" not in [title.value for title in page.subheader]:
    raise SystemExit(f"{page.exception} {[title.value for title in page.subheader]}")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project with one more model."""
    copy, ignored = tmp_path / "project", shutil.ignore_patterns("__pycache__")
    for folder in ("scviz", "pages", "assets", "tests/models", "tests/foundation"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for file in ("app.py", "pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / file, copy / file)
    models = copy / "scviz" / "models"
    (models / "ranker").mkdir()
    for name in FILES:
        text = (models / "geneformer" / f"{name}.py").read_text(encoding="utf-8")
        text = text.replace("geneformer", "ranker").replace("Geneformer", "Ranker")
        (models / "ranker" / f"{name}.py").write_text(text, encoding="utf-8")
    front = models / "__init__.py"
    text = front.read_text(encoding="utf-8")
    assert text.count('"scfoundation")') == 1
    front.write_text(text.replace('"scfoundation")', '"scfoundation", "ranker")'), encoding="utf-8")
    return copy


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "SCVIZ_HOME": str(tree / "home"),
        "SCVIZ_SPARE": "0",  # no engine is started
    }
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_contract_tests_hold_for_a_fifth_model(tree: Path) -> None:
    tests = (
        "tests/models/test_contract.py",
        "tests/models/test_contract_edits.py",
        "tests/foundation/test_lora.py",
    )
    done = python(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "ranker", *tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 20


@pytest.mark.slow
def test_the_models_page_lists_a_fifth_model(tree: Path) -> None:
    done = python(tree, "-c", CARDS)
    assert done.returncode == 0, done.stdout + done.stderr
