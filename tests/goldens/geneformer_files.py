"""The files of a case of Geneformer, laid out as its authors publish them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scviz.foundation.tokens import Tokens


def published_folder(case: Path, folder: Path) -> Path:
    """Lay the files of a case out as a published checkpoint; without medians, each gene gets 1."""
    shutil.copy(case / "config.json", folder / "config.json")
    shutil.copy(case / "weights.safetensors", folder / "model.safetensors")
    copy_dictionaries(case, folder)
    return folder


def copy_dictionaries(case: Path, folder: Path) -> None:
    for path in case.glob("*dict*.json"):
        shutil.copy(path, folder / path.name)
    if not list(folder.glob("*gene_median*")):
        tokens = json.loads((folder / "token_dictionary.json").read_text())
        medians = {gene: 1.0 for gene in tokens if not gene.startswith("<")}
        (folder / "gene_median_dictionary.json").write_text(json.dumps(medians))


def read_tokens(inputs: dict[str, NDArray]) -> Tokens:
    mask = np.arange(inputs["input_ids"].shape[1]) < inputs["length"][:, None]
    return Tokens(gene_ids=inputs["input_ids"].astype(np.int64), values=None, mask=mask)
