"""Read a checkpoint folder: as published (V1, V2, fine-tuned) or as saved here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scviz.errors import CheckpointError
from scviz.foundation.saved import CONFIG, read_saved, saved_config
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import read_dictionary, read_tensors
from scviz.models.geneformer import CARD
from scviz.models.geneformer.config import Config
from scviz.models.geneformer.network import TIED

PUBLISHED_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
WORDS = "bert.embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a folder holds."""

    config: Config
    vocab: GeneVocab
    tensors: Mapping[str, Tensor]
    """Of the encoder and the masked-gene head, in the published names."""
    head: Mapping[str, Tensor]
    """Of a fine-tuned head: `pooler.*` and `classifier.*`; empty if there is none."""
    labels: tuple[str, ...]
    """Classes of the fine-tuned head, in its order."""


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder and check that its parts fit together.

    Raises
    ------
    CheckpointError
        If a file is missing or unsafe, or the vocabulary is not that of the weights.
    """
    saved = read_saved(folder, CARD)
    if saved is not None:
        config, vocab, tensors = saved_config(Config, saved.values), saved.vocab, dict(saved.tensors)
        _check_vocab(vocab, config)
        return Checkpoint(config=config, vocab=vocab, tensors=tensors, head={}, labels=())
    if not (folder / CONFIG).is_file():
        raise CheckpointError(
            f"There is no config.json in {folder.name}, so this is no Geneformer checkpoint.",
            hint="Choose the folder that holds config.json and model.safetensors or pytorch_model.bin.",
        )
    values = read_dictionary(folder / CONFIG)
    config = Config.from_bert(values)
    vocab = published_vocab(folder, config)
    tensors = _without_tied(_published_tensors(folder))
    body = {name: tensor for name, tensor in tensors.items() if name.startswith(("bert.", "cls."))}
    head = {name: tensor for name, tensor in tensors.items() if name.startswith("classifier.")}
    for name in [name for name in body if name.startswith("bert.pooler.")]:
        head[name.replace("bert.pooler.dense.", "pooler.")] = body.pop(name)
    body.pop("bert.embeddings.position_ids", None)  # counts 0, 1, 2, ...; some files keep it
    return Checkpoint(config=config, vocab=vocab, tensors=body, head=head, labels=_labels(values, head))


def published_vocab(folder: Path, config: Config) -> GeneVocab:
    """Make a vocabulary from the published dictionaries in a folder or the folders below it.

    Raises
    ------
    CheckpointError
        If a dictionary is missing, or they do not fit together.
    """
    path, tokens = _token_dictionary(folder, config.n_tokens)
    genes = sorted((name for name in tokens if not name.startswith("<")), key=lambda name: tokens[name])
    vocab = GeneVocab(
        genes=tuple(genes),
        ids=np.array([tokens[gene] for gene in genes], dtype=np.int64),
        special={name: token for name, token in tokens.items() if name.startswith("<")},
        kind="ensembl" if sum(gene.startswith("ENS") for gene in genes) > len(genes) / 2 else "symbol",
        aliases=_other_names(path, folder, set(genes)),
        values={"median": _medians(path, folder, genes)},
    )
    _check_vocab(vocab, config)
    return vocab


def _medians(path: Path, folder: Path, genes: list[str]) -> NDArray[np.float64]:
    """Read the median of each gene, (V,), from the dictionary that belongs to that of the tokens."""
    medians = _dictionary_beside(path, folder, "gene_median")
    if medians is None:
        raise CheckpointError(
            "The dictionary of gene medians is missing.",
            hint="Put gene_median_dictionary_gc….pkl (or .json), published beside the token dictionary, "
            "into the folder.",
        )
    absent = [gene for gene in genes if gene not in medians]
    if absent:
        raise CheckpointError(
            f"{len(absent):,} of {len(genes):,} genes have no median, {absent[0]} for one.",
            hint="Take the medians and the token dictionary from the same release.",
        )
    return np.array([float(medians[gene]) for gene in genes])


def _other_names(path: Path, folder: Path, genes: set[str]) -> dict[str, str]:
    """Read other names of genes, symbols and retired ids, from the dictionaries that belong to that of the tokens."""
    symbols = _dictionary_beside(path, folder, "gene_name_id") or {}
    retired = _dictionary_beside(path, folder, "ensembl_mapping") or {}
    return {
        name.upper(): gene
        for name, gene in (*symbols.items(), *retired.items())
        if gene in genes and name.upper() != gene
    }


def _published_tensors(folder: Path) -> dict[str, Tensor]:
    for name in PUBLISHED_WEIGHTS:
        if (folder / name).is_file():
            return read_tensors(folder / name)
    raise CheckpointError(
        f"There are no weights in {folder.name}.", hint=f"Add {' or '.join(PUBLISHED_WEIGHTS)}."
    )


def _without_tied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what repeats the token embedding, and refuse a file in which it does not."""
    for name, source in zip(TIED, (WORDS, "cls.predictions.bias"), strict=True):
        repeated = tensors.pop(name, None)
        if repeated is not None and source in tensors and not torch.equal(repeated, tensors[source]):
            raise CheckpointError(
                f"{name} differs from {source}, which Geneformer never has.",
                hint="This is another network; choose a Geneformer checkpoint.",
            )
    return tensors


def _dictionaries(folder: Path, name: str) -> Iterator[Path]:
    """Find dictionaries by their name: here, then one folder below, then two."""
    for pattern in ("*", "*/*", "*/*/*"):
        for path in sorted(folder.glob(pattern)):
            if name in path.name and path.suffix in (".json", ".pkl"):
                yield path


def _token_dictionary(folder: Path, n_tokens: int) -> tuple[Path, dict[str, int]]:
    """Choose the token dictionary whose size is that of the network."""
    sizes = []
    for path in _dictionaries(folder, "token_dictionary"):
        tokens = {name: int(token) for name, token in read_dictionary(path).items()}
        if len(tokens) == n_tokens:
            return path, tokens
        sizes.append(f"{path.name} has {len(tokens):,}")
    if sizes:
        raise CheckpointError(
            f"The network knows {n_tokens:,} tokens, but {', '.join(sizes)}.",
            hint="V1 and V2 have different vocabularies: take the token dictionary of the same release.",
        )
    raise CheckpointError(
        "The token dictionary is missing.",
        hint="Put token_dictionary_gc….pkl (or .json) into the folder; it is published in the folder geneformer "
        "of the same repository.",
    )


def _dictionary_beside(tokens: Path, folder: Path, name: str) -> dict[str, Any] | None:
    """Read a dictionary from where the token dictionary lies, or else from anywhere in the folder."""
    paths = list(_dictionaries(folder, name))
    near = [path for path in paths if path.parent == tokens.parent] or paths
    return read_dictionary(near[0]) if near else None


def _check_vocab(vocab: GeneVocab, config: Config) -> None:
    """Refuse a vocabulary that is not the network's."""
    vocab.check_tokens(config.n_tokens)
    special = vocab.special
    whole = {"<pad>", "<mask>"} <= set(special) and ("<cls>" in special) == ("<eos>" in special)
    if not whole or special["<pad>"] != config.pad:
        raise CheckpointError(
            f"The special tokens are {dict(special)}, and padding is {config.pad} in config.json.",
            hint="Take the vocabulary and config.json from the same checkpoint.",
        )
    medians = vocab.values.get("median", np.empty(0))
    if len(medians) != len(vocab) or not (medians > 0).all():
        raise CheckpointError(
            "Not every gene has a median above 0.", hint="Take the medians of the same release."
        )


def _labels(values: Mapping[str, Any], head: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the classes of a fine-tuned head, by the names in config.json."""
    if "classifier.weight" not in head:
        return ()
    names = {int(key): str(name) for key, name in (values.get("id2label") or {}).items()}
    return tuple(names.get(i, f"LABEL_{i}") for i in range(len(head["classifier.weight"])))
