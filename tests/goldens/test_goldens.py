"""Numbers must be those of the models' authors: each case is a folder of inputs, weights and their outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.goldens import de, doubt, geneformer, grn, integration, perturbation, scbert, scfoundation, scgpt

ROOT = Path(os.environ.get("SCVIZ_GOLDENS") or Path(__file__).parent / "data")

FAMILIES = {
    "scbert": scbert,
    "geneformer": geneformer,
    "scgpt": scgpt,
    "scfoundation": scfoundation,
    "de": de,
    "doubt": doubt,
    "integration": integration,
}
FLAT = {"perturbation": perturbation, "grn": grn}
"""Families that are one folder of files; a check finds its own."""


def cases() -> Iterator[Path]:
    """Find the folders of cases: one level below a family; flat families are left out."""
    for family in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        folders = sorted(path for path in family.iterdir() if path.is_dir())
        if not family.name.startswith(tuple(FLAT)):
            yield from folders or [family]


def flat_checks() -> Iterator[tuple[Path, str]]:
    """Name each check of each flat family that is here, with its folder or folders."""
    for family, module in FLAT.items():
        for folder in sorted(path for path in ROOT.glob(f"{family}*") if path.is_dir()):
            for case in sorted(path for path in folder.iterdir() if path.is_dir()) or [folder]:
                yield from ((case, check) for check in module.CHECKS)


def kind(case: Path, known: list[str]) -> str | None:
    """Tell what a case is about: by its config.json, or else by how its name begins."""
    config = case / "config.json"
    said = json.loads(config.read_text()).get("kind") if config.exists() else None
    fitting = [name for name in known if name == said or (said is None and case.name.startswith(name))]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_outputs_are_those_of_the_authors(case: Path, tmp_path: Path) -> None:
    named = [part for part in (case.name, case.parent.name) if part in FAMILIES]
    assert named, f"{case} belongs to no known family"
    family = named[0]
    module = FAMILIES[family]
    about = kind(case, list(module.CHECKS))
    assert about, f"nothing here checks {family}/{case.name}"
    module.CHECKS[about](case, tmp_path)


@pytest.mark.parametrize(
    ("folder", "check"), list(flat_checks()), ids=lambda part: getattr(part, "name", part)
)
def test_files_are_those_of_the_authors(folder: Path, check: str) -> None:
    family = next(name for name in FLAT if name in str(folder.relative_to(ROOT)))
    FLAT[family].CHECKS[check](folder)


def test_there_are_cases() -> None:
    assert len(list(cases())) > 0
