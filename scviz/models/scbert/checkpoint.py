"""Read a checkpoint folder: as published, fine-tuned or not, or as saved here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from scviz.datasets.safety import inspect_h5
from scviz.datasets.tables import row_names
from scviz.errors import CheckpointError
from scviz.foundation.published import LABELS, read_labels
from scviz.foundation.saved import CONFIG, VOCAB, Saved, read_saved, saved_config
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import read_nested, refuse_placeholder
from scviz.models.scbert import CARD
from scviz.models.scbert.config import HEAD_WIDTHS, Config
from scviz.models.scbert.tokenizer import END, gene_list
from scviz.workspace.plain_json import DamagedFileError, read_plain

FACTS = "scviz.json"
WEIGHT_ENDINGS = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
GENE_ENDINGS = (".txt", ".json", ".h5ad")
NO_GENES = (CONFIG, VOCAB, FACTS, LABELS)

LEVELS, GENES = "token_emb.weight", "pos_emb.emb.weight"
ATTENTION = "performer.net.layers.0.0.fn"
FEED_FORWARD = "performer.net.layers.0.1.fn.fn.w1.weight"

PUBLISHED_GENES = 16_906
PUBLISHED_ORDER = "4c09ba1912e184682fe5e7f32e2b443bdfb7883d0d0191551b38c6c2f155600f"
"""SHA-256 of the published gene list, one symbol a line; from users of the model, not from its authors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a folder holds."""

    config: Config
    vocab: GeneVocab
    tensors: Mapping[str, Tensor]
    """Of the encoder and the head for hidden levels."""
    head: Mapping[str, Tensor]
    """Of a fine-tuned head: `conv1`, `fc1`, `fc2`, `fc3`; empty if there is none."""
    labels: tuple[str, ...]
    """Cell types of the fine-tuned head, in its order."""
    notes: tuple[str, ...] = ()
    """What a reader of the numbers should know, a sentence each."""


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder and check that its parts fit together.

    Raises
    ------
    CheckpointError
        If a file is missing or unsafe, or the gene list is not that of the weights.
    """
    saved = read_saved(folder, CARD)
    if saved is not None:
        return _checked(saved)
    tensors = _published_tensors(folder)
    head = {
        name.removeprefix("to_out."): tensors.pop(name)
        for name in list(tensors)
        if name.startswith(("to_out.conv1.", "to_out.fc"))
    }
    tensors = _with_gene_vectors(folder, tensors)
    config = config_of(tensors, head, n_genes=None if GENES in tensors else _n_genes_said(folder))
    genes = _genes(folder, config.n_genes)
    return Checkpoint(
        config=config,
        vocab=gene_list(genes),
        tensors=tensors,
        head=head,
        labels=read_labels(folder, len(head["fc3.weight"])) if _whole(head) else (),
        notes=tuple(_doubts(genes)),
    )


def config_of(
    tensors: Mapping[str, Tensor], head: Mapping[str, Tensor], *, n_genes: int | None = None
) -> Config:
    """Read the shape of a published network from its tensors.

    Parameters
    ----------
    tensors, head
        By name: of the encoder, (V + 1, D) for vectors of genes, and of a fine-tuned head.
    n_genes
        Genes of a network without gene vectors, whose tensors do not tell.

    Raises
    ------
    CheckpointError
        If one of the tensors that tell the shape is missing.
    """
    needed = (f"{ATTENTION}.fast_attention.projection_matrix", f"{ATTENTION}.to_q.weight", FEED_FORWARD)
    absent = [name for name in needed if name not in tensors]
    if absent:
        raise CheckpointError(
            f"The checkpoint lacks {', '.join(absent)}.", hint="Choose the file with all weights of scBERT."
        )
    projection, queries, inner = (tensors[name] for name in needed)
    n_tokens, width = tensors[LEVELS].shape
    layers = {int(name.split(".")[3]) for name in tensors if name.startswith("performer.net.layers.")}
    return Config(
        n_genes=len(tensors[GENES]) - 1 if n_genes is None else n_genes,
        n_layers=max(layers) + 1,
        width=width,
        n_heads=len(queries) // projection.shape[1],
        attention_width=projection.shape[1],
        n_features=len(projection),
        ffn=len(inner),
        n_bins=n_tokens - 2,
        gene_table="gene2vec" if GENES in tensors else "none",
        head_widths=(len(head["fc1.weight"]), len(head["fc2.weight"])) if _whole(head) else HEAD_WIDTHS,
    )


def _checked(saved: Saved) -> Checkpoint:
    """Refuse a vocabulary that is not the network's."""
    config, vocab = saved_config(Config, saved.values), saved.vocab
    if sorted(vocab.ids.tolist()) != list(range(config.n_genes)) or vocab.special != {END: config.n_genes}:
        raise CheckpointError(
            f"The network reads {config.n_genes:,} genes, and the vocabulary has {len(vocab):,}.",
            hint="Take vocab.json and config.json from the same checkpoint.",
        )
    return Checkpoint(config=config, vocab=vocab, tensors=saved.tensors, head={}, labels=())


def _published_tensors(folder: Path) -> dict[str, Tensor]:
    """Read the one file with weights, whether it holds the tensors or, as the authors' does, more."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in WEIGHT_ENDINGS)
    if len(paths) != 1:
        found = ", ".join(path.name for path in paths) or "none"
        raise CheckpointError(
            f"A folder of scBERT holds one file with weights, and {folder.name} has: {found}.",
            hint="Put panglao_pretrain.pth, or one fine-tuned file, and the gene list into a folder of their own.",
        )
    content = read_nested(paths[0])
    content = content.get("model_state_dict", content)
    tensors = {
        str(name).removeprefix("module."): tensor
        for name, tensor in content.items()
        if isinstance(tensor, Tensor)
    }
    if LEVELS not in tensors:
        raise CheckpointError(
            f"The file {paths[0].name} has no {LEVELS}, so it is no scBERT.",
            hint="Choose a checkpoint of scBERT.",
        )
    return tensors


def _with_gene_vectors(folder: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the gene vectors of gene2vec….npy where the weights lack them, and refuse others than theirs."""
    paths = sorted(folder.glob("gene2vec*.npy"))
    if not paths:
        if GENES not in tensors and _facts(folder).get("gene2vec", True):
            raise CheckpointError(
                f"The checkpoint lacks {GENES}, the vectors of the genes.",
                hint="Put gene2vec_16906.npy into the folder, or, if the network was trained without them, a "
                'file scviz.json with {"gene2vec": false}.',
            )
        return tensors
    refuse_placeholder(paths[0])
    try:
        table = torch.from_numpy(np.load(paths[0], allow_pickle=False))
    except (ValueError, OSError, EOFError, TypeError) as error:
        raise CheckpointError(
            f"The file {paths[0].name} cannot be read as a table of numbers: {error}.",
            hint="Download it again.",
        ) from error
    if GENES not in tensors:
        return {**tensors, GENES: torch.cat([table, torch.zeros_like(table[:1])])}
    if table.shape != tensors[GENES][:-1].shape or not torch.equal(
        table, tensors[GENES][:-1].to(table.dtype)
    ):
        raise CheckpointError(
            f"The vectors in {paths[0].name} are not those in the weights.",
            hint="Take the file away: the weights hold the vectors that they were trained with.",
        )
    return tensors


def _genes(folder: Path, n_genes: int) -> tuple[str, ...]:
    """Choose the gene list whose length is that of the network."""
    seen = []
    for path, genes in _gene_lists(folder):
        if len(genes) == n_genes and len(set(genes)) == n_genes:
            return genes
        seen.append(f"{path.name} has {len(genes):,}, {len(set(genes)):,} of them different")
    if seen:
        raise CheckpointError(
            f"The network reads {n_genes:,} genes, but {'; '.join(seen)}.",
            hint="Give the gene list that the network was trained with, in its order, one symbol a line.",
        )
    raise CheckpointError(
        "The gene list is missing; the weights alone do not tell which gene is which.",
        hint="Put the symbols in their order into genes.txt, one a line, or add the published "
        "panglao_10000.h5ad, whose genes are in that order.",
    )


def _gene_lists(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Find what may be gene lists."""
    for path in sorted(folder.iterdir()):
        if (
            path.suffix not in GENE_ENDINGS
            or path.name in NO_GENES
            or path.stem.lower() in ("readme", "licence")
        ):
            continue
        refuse_placeholder(path)
        yield path, _listed(path)


def _listed(path: Path) -> tuple[str, ...]:
    """Read what may be a gene list: lines, a JSON list or names with their places, or the genes of a dataset."""
    if path.suffix == ".txt":
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    if path.suffix == ".json":
        content = _json(path)
        if isinstance(content, dict):  # names and their places
            content = sorted(content, key=lambda name: (not isinstance(content[name], int), content[name]))
        return tuple(map(str, content)) if isinstance(content, list) else ()
    inspect_h5(path)
    with h5py.File(path, "r") as file:
        return tuple(row_names(file["var"]))


def _n_genes_said(folder: Path) -> int:
    """Count the genes of the list, for a network that does not tell."""
    lists = [genes for _, genes in _gene_lists(folder)]
    return len(lists[0]) if lists else 0


def _doubts(genes: tuple[str, ...]) -> Iterator[str]:
    """Say so if a list as long as the published one is another, or in another order."""
    order = hashlib.sha256("\n".join(genes).encode()).hexdigest()
    if len(genes) == PUBLISHED_GENES and order != PUBLISHED_ORDER:
        yield (
            "The gene list is as long as that of the published weights, but not the same or in another order. If "
            "these are the published weights, every number will be wrong."
        )


def _whole(head: Mapping[str, Tensor]) -> bool:
    """Tell whether there is a fine-tuned head."""
    return all(f"fc{i}.weight" in head for i in (1, 2, 3))


def _facts(folder: Path) -> dict[str, Any]:
    """Read what scviz.json says, if it is there."""
    content = _json(folder / FACTS) if (folder / FACTS).is_file() else {}
    return content if isinstance(content, dict) else {}


def _json(path: Path) -> Any:
    refuse_placeholder(path)
    try:
        return read_plain(path, (dict, list))
    except DamagedFileError as error:
        raise CheckpointError(str(error), hint="Download it again.") from error
