"""Which term of an ontology a user has chosen for each label; kept beside the dataset."""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock

from scviz.workspace.plain_json import read_plain

FILE = "terms.json"


def chosen_terms(folder: Path) -> dict[str, str]:
    """Return the choices for a dataset: label -> id of a term, "" for none; labels without a choice are absent."""
    path = folder / FILE
    found = read_plain(path) if path.exists() else {}
    return {str(label): str(term) for label, term in found.items()}


def choose_term(folder: Path, label: str, term: str) -> None:
    """Keep the term of a label; "" says that it has none."""
    with FileLock(folder / f"{FILE}.lock"):
        draft = folder / f"{FILE}.draft"
        text = json.dumps({**chosen_terms(folder), label: term}, indent=1, ensure_ascii=False)
        draft.write_text(text, encoding="utf-8")
        draft.replace(folder / FILE)
