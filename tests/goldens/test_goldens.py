"""Numbers must be those of the models' authors: each case is a folder of inputs, weights and their outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.goldens import geneformer, scbert, scfoundation, scgpt

ROOT = Path(os.environ.get("SCVIZ_GOLDENS") or Path(__file__).parent / "data")

FAMILIES = {"scbert": scbert, "geneformer": geneformer, "scgpt": scgpt, "scfoundation": scfoundation}
NOT_BUILT_YET = ("perturbation", "grn")


def cases() -> Iterator[Path]:
    """Find the folders of cases: one level below a family, or the family itself where it has no folders."""
    for family in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        folders = sorted(path for path in family.iterdir() if path.is_dir())
        yield from folders or [family]


def kind(case: Path, known: list[str]) -> str | None:
    """Tell what a case is about: by its config.json, or else by how its name begins."""
    config = case / "config.json"
    said = json.loads(config.read_text()).get("kind") if config.exists() else None
    fitting = [name for name in known if name == said or (said is None and case.name.startswith(name))]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_outputs_are_those_of_the_authors(case: Path, tmp_path: Path) -> None:
    named = [part for part in (case.name, case.parent.name) if part in (*FAMILIES, *NOT_BUILT_YET)]
    assert named, f"{case} belongs to no known family"
    family = named[0]
    if family in NOT_BUILT_YET:
        pytest.skip(f"{family} is not built yet")
    module = FAMILIES[family]
    about = kind(case, [*module.CHECKS, *module.NOT_BUILT_YET])
    assert about, f"nothing here checks {family}/{case.name}"
    if about in module.NOT_BUILT_YET:
        pytest.skip(f"{about} of {family} is not built yet")
    module.CHECKS[about](case, tmp_path)


def test_there_are_cases() -> None:
    assert len(list(cases())) > 0
