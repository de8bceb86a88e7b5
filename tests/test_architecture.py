"""The house rules that a machine can check."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from inspect import isfunction

import grimp
import pytest
from packaging.requirements import Requirement

from scviz.cli import parser
from scviz.models import MODELS, cards
from scviz.settings import ROOT
from scviz.tasks import TASKS, front

HEAVY = {"torch", "transformers", "scanpy", "umap", "lightning", "anndata", "sklearn", "gseapy", "matplotlib"}
HEAVY |= {"sknetwork", "networkx", "pyvis", "scipy.stats"}
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
WEB = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("components", "views")
    for path in (ROOT / "pages" / folder).rglob("*.py")
    if path.stem != "__init__"
)

LIGHT = (
    "scviz.plots",
    "scviz.workspace",
    "scviz.settings",
    "scviz.jobs.queue",
    "scviz.tasks.fields",
    "scviz.tasks.price",
    "scviz.foundation.card",
    "scviz.foundation.published",
    "scviz.foundation.tokens",
    "scviz.foundation.vocab",
    "scviz.datasets.conditions",
    "scviz.datasets.perturbation_split",
)
"""What pages read, besides the fronts of tasks and models, which are found by themselves."""


def test_the_web_side_never_imports_what_computes() -> None:
    fronts = [f"scviz.tasks.{task}" for task in TASKS] + [f"scviz.models.{model}.config" for model in MODELS]
    modules = [*WEB, *fronts, "scviz.jobs.queue"]
    code = f"import sys, {', '.join(modules)}; print(*sorted({HEAVY} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == ""


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, also within functions; not what is imported for types alone."""
    return grimp.build_graph(
        "scviz", "pages", include_external_packages=True, exclude_type_checking_imports=True
    )


def test_the_web_side_stays_light_within_functions_too(imports: grimp.ImportGraph) -> None:
    light = {name for name in imports.modules if name.split(".")[0] == "pages" or name.startswith(LIGHT)}
    light |= {f"scviz.tasks.{task}" for task in TASKS} | {f"scviz.models.{model}" for model in MODELS}
    heavy = {"torch", "transformers", "performer_pytorch", "umap", "scanpy", "anndata", "gseapy", "lightning"}
    chains = [
        imports.find_shortest_chain(importer=name, imported=package)
        for name in sorted(light)
        for package in heavy & imports.modules
    ]
    assert [chain for chain in chains if chain] == []


def test_tasks_do_not_know_each_other(imports: grimp.ImportGraph) -> None:
    known = {
        (one, other)
        for one in TASKS
        for other in TASKS
        if one != other
        and imports.chain_exists(
            importer=f"scviz.tasks.{one}", imported=f"scviz.tasks.{other}", as_packages=True
        )
    }
    assert known == set()


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


ONLY_IN_TESTS = {
    "Perturbation.applies_to": "which cells the authors edit, which goldens hold",
    "Network.hidden_state_of_copies": "all deletions of a cell as published, which goldens hold and a benchmark times",
    "ScBert.attention_map": "the whole of what attention_sums adds up; goldens hold both",
    "ScBert.attention_sums": "published per-gene attention, which goldens hold",
    "Geneformer.token_means": "published gene vectors, which goldens hold",
    "state_vector": "published summaries of a state, which goldens hold",
    "ScFoundation.published_encoding": "pads as published, which goldens hold",
    "ScGPT.masked_value_loss": "published objective of fine-tuning, which tests train with",
    "Config.to_authors": "writes folders in the authors' layout for tests",
    "Config.to_published": "writes folders in the authors' layout for tests",
}
"""Public definitions that nothing but tests reaches, and why they stay; delete or open a door before adding one."""


def test_what_nobody_can_reach_is_not_there() -> None:
    sources = [*(ROOT / "scviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    others = [ROOT / "app.py", ROOT / "dashboard.py", *(ROOT / "benchmarks").rglob("*.py")]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in [*sources, *others]}
    said = {path: _names_said(tree) for path, tree in trees.items()}
    everywhere: Counter[str] = sum(said.values(), Counter())
    unreached = {
        name
        for path in sources
        for name, node in _public(trees[path].body)
        if not everywhere[node.name] - _names_said(node)[node.name]
    }
    assert unreached - set(ONLY_IN_TESTS) == set()


def _names_said(tree: ast.AST) -> Counter[str]:
    """How often each name is read, as a name, an attribute or a word; not where it is defined or imported."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found[node.value.rpartition(":")[2]] += 1  # "module:function" loads it when it is needed
    return found


def _public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Public functions and classes and their methods; what a private class has is called by its framework."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{node.name}.")


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


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_says_why_it_is_there_and_where_it_ends(file: str) -> None:
    for line in _lines(file):
        assert re.search(r"  # \w+", line), line
        assert re.match(r"[\w-]+(==[\d.]+|>=[\d.]+,<[\d.]+) ", line), line


def test_packages_nobody_works_on_and_torch_are_pinned() -> None:
    pinned = {line.split("==")[0] for line in _lines("requirements.txt") if "==" in line.split()[0]}
    assert pinned == {"torch", "performer-pytorch", "pyvis"}


def test_readme_and_make_name_the_same_torch() -> None:
    (torch,) = [line.split()[0] for line in _lines("requirements.txt") if line.startswith("torch==")]
    readme, make = [(ROOT / name).read_text("utf-8") for name in ("README.md", "Makefile")]
    index = "https://download.pytorch.org/whl/cpu"
    assert f"pip install {torch} --index-url {index}" in readme
    assert index in make


def test_what_only_tests_need_is_not_installed_to_run() -> None:
    run, dev = [{re.split("[=>]", line)[0] for line in _lines(name)} for name in REQUIREMENTS]
    assert not run & dev
    assert {"pytest", "mypy", "playwright"} <= dev


def test_nothing_that_scviz_installs_is_copyleft() -> None:
    licenses = {name: _license(name) for name in _closure(_lines("requirements.txt"))}
    assert len(licenses) > 50
    assert [name for name, text in licenses.items() if not text] == []
    assert {name: text for name, text in licenses.items() if re.search("GPL|GNU|Affero|EUPL", text)} == {}
    assert "scviz" not in licenses
    assert 'license = "BSD-3-Clause"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("BSD 3-Clause License")


def _lines(file: str) -> list[str]:
    """The packages that a file of requirements names itself."""
    lines = (ROOT / file).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r "))]


def _closure(lines: list[str]) -> set[str]:
    """Names of the packages that these need on this machine, with all that those need."""
    needed = [Requirement(line.split("#")[0].strip()) for line in lines]
    seen: dict[str, set[str]] = {}
    while needed:
        one = needed.pop()
        if one.name.lower() in seen and one.extras <= seen[one.name.lower()]:
            continue
        seen.setdefault(one.name.lower(), set()).update(one.extras)
        for text in metadata.requires(one.name) or []:
            further = Requirement(text)
            extras = [{"extra": extra} for extra in ("", *one.extras)]
            if further.marker is None or any(further.marker.evaluate(extra) for extra in extras):
                needed.append(further)
    return set(seen)


def _license(name: str) -> str:
    """What a package says of its license: an expression, classifiers, or the first line of a text."""
    about = metadata.metadata(name)
    classifiers = [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    expression = about.get("License-Expression") or " ".join(classifiers)
    return str(expression or (about.get("License") or "").strip().splitlines()[:1] or "")


def test_a_fifth_model_is_a_folder_and_a_word() -> None:
    source = (ROOT / "scviz" / "models" / "__init__.py").read_text("utf-8")
    assert re.findall(r'"(\w+)"', source.split("MODELS = ")[1].split(")")[0]) == list(MODELS)
    folders = {
        p.name for p in (ROOT / "scviz" / "models").iterdir() if p.is_dir() and p.name != "__pycache__"
    }
    assert folders == set(MODELS)


def test_every_command_is_carried_out_by_a_function() -> None:
    (entries,) = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    carried_out = {name: command.get_default("command") for name, command in entries.choices.items()}
    assert len(carried_out) > 15
    assert [name for name, function in carried_out.items() if not isfunction(function)] == []
