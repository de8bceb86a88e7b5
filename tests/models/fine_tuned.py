"""Folders as the authors of three models leave them after fine-tuning on cell types, with random weights."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from safetensors.torch import save_file
from scipy.sparse import csr_matrix

from scviz.models.geneformer.config import tiny as tiny_geneformer
from scviz.models.geneformer.network import TIED
from scviz.models.geneformer.network import Network as GeneformerNetwork
from scviz.models.scbert.config import tiny as tiny_scbert
from scviz.models.scbert.network import Network as ScBertNetwork
from scviz.models.scbert.network import TypeHead
from scviz.models.scgpt.config import tiny as tiny_scgpt
from scviz.models.scgpt.network import CellHead as ScGptHead
from scviz.models.scgpt.network import Network as ScGptNetwork

TYPES = ("T cell", "B cell", "NK cell")
N_CELLS, N_GENES = 36, 240
GENES = [f"GENE{i}" for i in range(N_GENES)]
ENSEMBL = [f"ENSG9{i:010d}" for i in range(N_GENES)]


def expressed_cells() -> AnnData:
    """36 cells that express nearly all of 240 genes: scBERT reads none with fewer than 200."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(3.0, 2.0, (N_CELLS, N_GENES))).astype(np.float32)
    labels = ["t CELL", "B cell", "Monocyte"]  # one in other letters, one that no head knows
    obs = pd.DataFrame(
        {"cell_type": [labels[i % 3] for i in range(N_CELLS)]}, index=[f"c{i}" for i in range(N_CELLS)]
    )
    return AnnData(csr_matrix(counts), obs=obs, var=pd.DataFrame({"gene_ids": ENSEMBL}, index=GENES))


def scbert(folder: Path) -> None:
    """One file, in which the head takes the place of that for levels, the gene list, and names of the types."""
    config = dataclasses.replace(tiny_scbert(N_GENES), gene_table="gene2vec", min_genes=200)
    body = {
        name: t for name, t in ScBertNetwork(config).state_dict().items() if not name.startswith("to_out.")
    }
    head = TypeHead(config, len(TYPES), pooling="published").state_dict()
    tensors = body | {f"to_out.{name}": tensor for name, tensor in head.items()}
    torch.save({"epoch": 3, "model_state_dict": tensors}, folder / "finetune_best.pth")
    (folder / "genes.txt").write_text("\n".join(GENES))
    (folder / "labels.json").write_text(json.dumps(TYPES))


def geneformer(folder: Path) -> None:
    """A sequence classifier of transformers, whose config names the types, with the dictionaries."""
    tokens = {"<pad>": 0, "<mask>": 1} | {gene: i + 2 for i, gene in enumerate(ENSEMBL)}
    config = tiny_geneformer(len(tokens))
    weights = GeneformerNetwork(config).lm.state_dict()
    body = {n: t for n, t in weights.items() if n.startswith("bert.") and n not in TIED}
    width = config.width
    head = {
        "bert.pooler.dense.weight": torch.randn(width, width),
        "bert.pooler.dense.bias": torch.zeros(width),
        "classifier.weight": torch.randn(len(TYPES), width),
        "classifier.bias": torch.zeros(len(TYPES)),
    }
    save_file(body | head, folder / "model.safetensors")
    named = {"model_type": "bert", "id2label": {str(i): name for i, name in enumerate(TYPES)}}
    (folder / "config.json").write_text(json.dumps(config.to_bert() | named))
    (folder / "token_dictionary.json").write_text(json.dumps(tokens))
    (folder / "gene_median_dictionary.json").write_text(json.dumps(dict.fromkeys(ENSEMBL, 1.5)))


def scgpt(folder: Path) -> None:
    """The three files of a training run, with names of the types."""
    tokens = {name: i for i, name in enumerate([*GENES, "<pad>", "<cls>", "<eoc>"])}
    config = tiny_scgpt(len(tokens))
    head = ScGptHead(config, len(TYPES), pooling="published").state_dict()
    torch.save(dict(ScGptNetwork(config).state_dict()) | head, folder / "best_model.pt")
    (folder / "args.json").write_text(json.dumps(config.to_published()))
    (folder / "vocab.json").write_text(json.dumps(tokens))
    (folder / "labels.json").write_text(json.dumps(TYPES))


FINE_TUNED: dict[str, Callable[[Path], None]] = {"scbert": scbert, "geneformer": geneformer, "scgpt": scgpt}
"""The authors of scFoundation publish no checkpoint with a head for cell types."""


def write_fine_tuned(model: str, folder: Path) -> Path:
    """Write the folder of a model."""
    folder.mkdir()
    torch.manual_seed(0)
    FINE_TUNED[model](folder)
    return folder
