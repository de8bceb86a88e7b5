"""What faults strike (`benchmarks/faults.py`): a small request for every task that needs no other machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from scviz.datasets.demo import open_demo
from scviz.datasets.readers import open_file, read_counts
from scviz.models import model_class
from scviz.tasks import (
    annotation,
    checking,
    compare,
    conditions,
    embedding,
    enhancement,
    enrichment,
    filtering,
    gene_terms,
    group_genes,
    in_silico,
    label_audit,
    markers,
    modules,
    opening,
    overview,
    perturbation,
    pretraining,
    qc,
    scenic,
    self_test,
    transfer,
)
from scviz.tasks.cell_groups import CellGroup
from scviz.tasks.filters import Filter
from scviz.workspace import CheckpointInfo, Workspace
from scviz.workspace.store import write_checkpoint_info

TYPES = ("B cell", "NK cell", "T cell")
N_CELLS, N_GENES = 96, 240
NAMES = (
    *(
        "check a file",
        "open a file",
        "gene terms",
        "filter",
        "quality",
        "markers",
        "label audit",
        "group genes",
    ),
    *("conditions", "enrichment", "overview", "modules", "transfer", "trees", "self-test", "map", "compare"),
    *("annotate, head", "annotate, all", "one edit", "sweep", "perturbation", "enhance", "pre-train"),
)
VOLATILE = ("second", "time", "date", "gigabyte", "_gb", "version", "counted_now", "took")
"""Fields of a result that two equal runs need not share have one of these in their name."""


def make_cells(folder: Path) -> tuple[Path, Path]:
    """Write twice 96 cells of three planted types with names of human genes, donors and conditions, and gene sets."""
    scratch = Workspace(folder / "scratch")
    names = read_counts(scratch.dataset_folder(open_demo(scratch).id)).var_names[:N_GENES]
    rng = np.random.default_rng(0)
    for file in ("cells", "others"):
        types = np.arange(N_CELLS) % len(TYPES)
        means = np.tile(rng.gamma(0.7, 1.0, N_GENES), (N_CELLS, 1))  # (N, G)
        for number in range(len(TYPES)):
            means[:, 20 * number : 20 * number + 20] = np.where(types == number, 6.0, 0.3)[:, None]
        donors = np.arange(N_CELLS) // len(TYPES) % 6
        obs = pd.DataFrame(
            {
                "cell_type": pd.Categorical([TYPES[number] for number in types]),
                "donor": pd.Categorical([f"donor {donor}" for donor in donors]),
                "condition": pd.Categorical(np.where(donors < 3, "rest", "stimulated")),
            },
            index=pd.Index([f"{file}-{i}" for i in range(N_CELLS)], dtype=object),
        )
        counts = csr_matrix(rng.poisson(means).astype(np.float32))
        anndata.AnnData(X=counts, obs=obs, var=pd.DataFrame(index=names)).write_h5ad(folder / f"{file}.h5ad")
    sets = [f"SET{number}\tmade up\t" + "\t".join(names[number::9]) for number in range(9)]
    (folder / "sets.gmt").write_text("\n".join(sets) + "\n", encoding="utf-8")
    return folder / "cells.h5ad", folder / "others.h5ad"


def keep_model(workspace: Workspace, kind: str, cells: Path) -> str:
    """Put a tiny model with random weights among those of the workspace; return its id."""
    import torch

    torch.manual_seed(0)
    model = model_class(kind).untrained(anndata.read_h5ad(cells), "tiny")
    folder = workspace.home / "checkpoints" / kind / "tiny"
    model.save(folder)
    info = CheckpointInfo(
        id=f"{kind}/tiny",
        model=kind,
        name="Tiny",
        description="Random weights.",
        licence="none",
        n_parameters=1,
        n_genes=len(model.vocab),
        size_mb=0.1,
    )
    write_checkpoint_info(info, folder)
    return info.id


def requests(workspace: Workspace, files: tuple[Path, Path], screen: str) -> Mapping[str, tuple[str, Any]]:
    """Open cells and models without an engine, and list what is asked: the task and its request, by a name of its own.

    Parameters
    ----------
    screen
        Id of a simulated screen.
    """
    cells, others = (open_file(file, workspace, name=file.stem).id for file in files)
    genes = tuple(read_counts(workspace.dataset_folder(cells)).var_names[:4])
    model, other_model = (keep_model(workspace, kind, files[0]) for kind in ("geneformer", "scfoundation"))
    kind, one = "cell_type", {"dataset": cells, "checkpoint": model}
    some = (Filter(column=kind, values=("B cell",)),)
    sets = str(files[0].with_name("sets.gmt"))
    return {
        "check a file": ("checking", checking.Request(path=str(files[0]))),
        "open a file": ("opening", opening.Request(path=str(files[0]), name="again")),
        "gene terms": ("gene_terms", gene_terms.Request(path=sets, name="sets")),
        "filter": ("filtering", filtering.Request(dataset=cells, name="fewer", cells=some)),
        "quality": ("qc", qc.Request(dataset=cells, label_key=kind)),
        "markers": ("markers", markers.Request(dataset=cells, column=kind)),
        "label audit": ("label_audit", label_audit.Request(dataset=cells, label_key=kind)),
        "group genes": (
            "group_genes",
            group_genes.Request(dataset=cells, a=CellGroup(column=kind, value="B cell")),
        ),
        "conditions": (
            "conditions",
            conditions.Request(
                dataset=cells,
                type_key=kind,
                donor_key="donor",
                condition_key="condition",
                first="rest",
                second="stimulated",
                fewest_cells=5,
            ),
        ),
        "enrichment": ("enrichment", enrichment.Request(dataset=cells, genes=genes)),
        "overview": ("overview", overview.Request(dataset=cells, n_genes=200)),
        "modules": ("modules", modules.Request(dataset=cells, most_genes=200)),
        "transfer": ("transfer", transfer.Request(dataset=cells, reference=others, label_key=kind)),
        "trees": ("scenic", scenic.Request(dataset=cells, most_genes=150, fewest_genes=5)),
        "self-test": ("self_test", self_test.Request(checkpoint=model)),
        "map": ("embedding", embedding.Request(**one, batch_size=4)),
        "compare": ("compare", compare.Request(dataset=cells, checkpoints=(model,), label_key=kind)),
        "annotate, head": ("annotation", annotation.Request(**one, label_key=kind)),
        "annotate, all": ("annotation", annotation.Request(**one, label_key=kind, mode="full", epochs=3)),
        "one edit": ("in_silico", in_silico.Request(**one, genes=genes[:1], cells=some)),
        "sweep": ("in_silico", in_silico.Request(**one, genes=genes, together=False, cells=some)),
        "perturbation": (
            "perturbation",
            perturbation.Request(dataset=screen, column="condition", most_genes=100, epochs=2),
        ),
        "enhance": (
            "enhancement",
            enhancement.Request(dataset=cells, checkpoint=other_model, check_cells=24),
        ),
        "pre-train": (
            "pretraining",
            pretraining.Request(dataset=cells, configuration="tiny", epochs=3, name="again"),
        ),
    }


def digest(result: Path) -> str:
    """Hash what a run has found, its arrays to the last bit; what may differ between equal runs is left out."""
    known = hashlib.sha256(json.dumps(_steady(json.loads((result / "record.json").read_text()))).encode())
    with np.load(result / "arrays.npz", allow_pickle=False) as arrays:
        for name in sorted(arrays):
            if not any(word in name for word in VOLATILE):
                known.update(name.encode() + arrays[name].tobytes())
    return known.hexdigest()


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if not any(word in name for word in VOLATILE)}
        return {name: _steady(one) for name, one in sorted(kept.items())}
    return [_steady(one) for one in value] if isinstance(value, list) else value
