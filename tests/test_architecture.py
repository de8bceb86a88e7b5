"""The house rules that a machine can check."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from scviz.models import MODELS, cards
from scviz.settings import ROOT
from scviz.tasks import TASKS, front

HEAVY = {"torch", "transformers", "scanpy", "umap", "lightning", "anndata", "sklearn", "gseapy", "matplotlib"}
HEAVY |= {"sknetwork", "networkx", "pyvis"}
WEB = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("components", "views")
    for path in (ROOT / "pages" / folder).rglob("*.py")
    if path.stem != "__init__"
)


def test_the_web_side_never_imports_what_computes() -> None:
    fronts = [f"scviz.tasks.{task}" for task in TASKS] + [f"scviz.models.{model}.config" for model in MODELS]
    modules = [*WEB, *fronts, "scviz.jobs.queue"]
    code = f"import sys, {', '.join(modules)}; print(*sorted({HEAVY} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == ""


def test_every_script_begins_with_the_frame() -> None:
    for script in [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]:
        if script.name == "__init__.py":
            continue
        calls = [line for line in script.read_text("utf-8").splitlines() if re.match(r"[a-z_.]+\(", line)]
        assert calls[0].startswith("frame("), script.name


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_a_title_a_weight_a_request_and_a_result(task: str) -> None:
    module = front(task)
    assert module.TITLE
    assert isinstance(module.HEAVY, bool)
    assert module.Request.__dataclass_params__.frozen
    assert module.Result.__dataclass_params__.frozen


@pytest.mark.parametrize("model", MODELS)
def test_a_card_has_the_name_of_its_folder(model: str) -> None:
    assert cards()[model].name == model


def test_no_file_is_longer_than_it_may_be() -> None:
    for path in [
        *(ROOT / "scviz").rglob("*.py"),
        *(ROOT / "pages").rglob("*.py"),
        *(ROOT / "assets").rglob("*.js"),
    ]:
        limit = 150 if path.parent == ROOT / "pages" else 400
        assert len(path.read_text("utf-8").splitlines()) <= limit, path.name


def test_the_readme_names_every_page_setting_and_model() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    settings = re.findall(r"`(SCVIZ_[A-Z_]+)`", (ROOT / "scviz" / "settings.py").read_text("utf-8"))
    pages = [path.name for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__"]
    titles = [card.title for card in cards().values()]
    missing = [name for name in [*settings, *pages, *titles] if name not in readme]
    assert missing == []


def test_every_requirement_says_why_it_is_there() -> None:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert all(re.search(r"  # \w+", line) for line in packages)
    assert "torch==2.13.0" in {line.split()[0] for line in packages}


def test_a_fifth_model_is_a_folder_and_a_word() -> None:
    source = (ROOT / "scviz" / "models" / "__init__.py").read_text("utf-8")
    assert re.findall(r'"(\w+)"', source.split("MODELS = ")[1].split(")")[0]) == list(MODELS)
    folders = {
        p.name for p in (ROOT / "scviz" / "models").iterdir() if p.is_dir() and p.name != "__pycache__"
    }
    assert folders == set(MODELS)
