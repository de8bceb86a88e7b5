"""A fifth model is a folder and a word: with both, tests, pages and tasks take it up, its predictor and screen too."""

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

CONTRACT = "scviz.foundation.perturbing"

CARDS = """
import streamlit.testing.v1 as testing

page = testing.AppTest.from_file("app.py", default_timeout=120)
page.switch_page("pages/models.py")
page.run()
if page.exception or "Ranker" not in [title.value for title in page.subheader]:
    raise SystemExit(f"{page.exception} {[title.value for title in page.subheader]}")
"""

PREDICTS = """
    perturbation=PerturbationCard(
        key="ranker", title="Ranker", how="Ridge regression on its vectors of genes.", needs="measured"
    ),
"""

METHOD = """
    def perturbation_predictor(self, inputs):
        from scviz.models.ranker.perturbation import RankerScreen, RankerSettings

        return RankerScreen(self.vocab, self.gene_embeddings(), RankerSettings(**inputs.training))

"""

PREDICTOR = """
from dataclasses import dataclass

import numpy as np

from scviz.foundation.perturbing import NOT_MEASURED
from scviz.predictors.vectors import GeneVectors
from scviz.predictors.ridge import Ridge
from scviz.progress import silent


@dataclass(frozen=True, slots=True, kw_only=True)
class RankerSettings:
    epochs: int = 2
    batch_size: int = 16
    seed: int = 0


class RankerScreen(Ridge):
    def __init__(self, vocab, embeddings, settings):
        super().__init__(GeneVectors(genes=(), vectors=embeddings[:0], source="Ranker", lack=NOT_MEASURED))
        self.vocab, self.embeddings, self.settings = vocab, embeddings, settings

    def fit(self, train, validation, *, report=silent, state=None):
        at = self.vocab.positions(train.genes)
        vectors = np.where(at[:, None] >= 0, self.embeddings[at], 0)
        self.vectors = GeneVectors(genes=train.genes, vectors=vectors, source="Ranker", lack=NOT_MEASURED)
        self.known = frozenset(train.genes)
        super().fit(train, validation, report=report, state=state)
"""

RUNS = """
import numpy as np
import pytest

from scviz.models import model_class
from scviz.tasks import back, in_silico, opening, perturbation
from scviz.tasks.filters import Filter
from scviz.tasks.opening.run import run as open_dataset
from scviz.tasks.perturbation.methods import Method
from tests.conftest import Opened, keep_model
from tests.pages.test_pages import carry_out, visit, words

__all__ = ["visit"]


@pytest.fixture
def ranked(workspace):
    nothing = Opened(workspace, "", "")
    screen = opening.Request(path="", name="", simulated="tiny")
    opened = Opened(workspace, open_dataset(screen, nothing.context()).dataset, "")
    cells = opened.context().counts(opened.dataset)
    return keep_model(opened, model_class("ranker").untrained(cells, "tiny"))


def opened_page(visit, ranked, script, **more):
    page = visit(script, dataset=ranked.dataset, checkpoint=ranked.checkpoint, **more)
    assert not page.exception, page.exception
    return page


def test_it_is_a_method_that_predicts_a_screen(visit, ranked):
    page = opened_page(visit, ranked, "pages/perturb.py")
    assert "Ranker" in page.multiselect(key="methods").options
    request = perturbation.Request(
        dataset=ranked.dataset, column="condition", methods=(Method(name="ranker", checkpoint=ranked.checkpoint),)
    )
    assert back("perturbation").price(request, ranked.context("priced")).seconds > 0
    page = opened_page(visit, ranked, "pages/perturb.py", run=carry_out(ranked, "perturbation", request))
    assert not page.error, page.error
    scores = next(table.value for table in page.dataframe if "Predicted" in table.value).set_index("Method")
    (name,) = [name for name in scores.index if name.startswith("Ranker")]
    assert scores.loc[name, "Predicted"] == scores.loc["Linear", "Predicted"], scores


def test_it_screens_deletions_of_every_gene(visit, ranked):
    page = opened_page(visit, ranked, "pages/in_silico.py")
    assert "Knock out" in page.selectbox(key="in_silico_kind").options
    request = in_silico.Request(
        dataset=ranked.dataset,
        checkpoint=ranked.checkpoint,
        all_genes=True,
        cells=(Filter(column="condition", values=("ctrl",)),),
        most_cells=8,
        n_exact=5,
        n_random=20,
    )
    assert back("in_silico").price(request, ranked.context("priced")).seconds > 0
    page = opened_page(visit, ranked, "pages/in_silico.py", run=carry_out(ranked, "in_silico", request))
    assert not page.error, page.error
    assert "genes were screened, and the best 5 edited exactly" in words(page)
    ranking = next(table.value for table in page.dataframe if "Gene" in table.value)
    assert len(ranking) == 5
    assert np.isfinite(ranking["FDR"]).all()
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project with one more model."""
    copy, ignored = tmp_path / "project", shutil.ignore_patterns("__pycache__")
    for folder in ("scviz", "pages", "assets", "tests/models", "tests/foundation", "tests/predictors"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    (copy / "tests" / "pages").mkdir()
    shutil.copy(ROOT / "tests" / "pages" / "test_pages.py", copy / "tests" / "pages")
    (copy / "tests" / "pages" / "test_ranker.py").write_text(RUNS, encoding="utf-8")
    for file in ("app.py", "pyproject.toml", "tests/conftest.py"):
        shutil.copyfile(ROOT / file, copy / file)
    models = copy / "scviz" / "models"
    (models / "ranker").mkdir()
    for name in FILES:
        text = (models / "geneformer" / f"{name}.py").read_text(encoding="utf-8")
        text = text.replace("geneformer", "ranker").replace("Geneformer", "Ranker")
        (models / "ranker" / f"{name}.py").write_text(_that_predicts(name, text), encoding="utf-8")
    (models / "ranker" / "perturbation.py").write_text(PREDICTOR, encoding="utf-8")
    front = models / "__init__.py"
    text = front.read_text(encoding="utf-8")
    assert text.count('"scfoundation")') == 1
    front.write_text(text.replace('"scfoundation")', '"scfoundation", "ranker")'), encoding="utf-8")
    return copy


def _that_predicts(name: str, text: str) -> str:
    """The copied file, on whose card and in whose model a predictor of perturbations stands as well."""
    parts = {
        "__init__": (
            ("CARD = ModelCard(", f"from {CONTRACT} import PerturbationCard\n\nCARD = ModelCard({PREDICTS}"),
        ),
        "model": (("    def gene_embeddings(self)", f"{METHOD}    def gene_embeddings(self)"),),
    }
    for before, after in parts.get(name, ()):
        assert text.count(before) == 1
        text = text.replace(before, after)
    return text


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
def test_contracts_hold_for_a_fifth_model_and_tasks_take_it_up(tree: Path) -> None:
    tests = (
        "tests/models/test_contract.py",
        "tests/models/test_contract_edits.py",
        "tests/models/test_contract_perturbation.py",
        "tests/foundation/test_lora.py",
        "tests/pages/test_ranker.py",
    )
    done = python(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "ranker", *tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 26


@pytest.mark.slow
def test_the_models_page_lists_a_fifth_model(tree: Path) -> None:
    done = python(tree, "-c", CARDS)
    assert done.returncode == 0, done.stdout + done.stderr
