"""Read a checkpoint folder: as published, fine-tuned too, or as saved here."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from scviz.datasets.genes import ENSEMBL, kind_of
from scviz.errors import CheckpointError
from scviz.foundation.saved import VOCAB, read_saved, saved_config
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import read_dictionary, read_tensors
from scviz.models.scgpt import CARD
from scviz.models.scgpt.config import Config

ARGS = "args.json"
PUBLISHED_WEIGHTS = ("best_model.pt", "model.pt", "best_model.safetensors")

SPECIAL = ("<pad>", "<cls>", "<eoc>")
"""In the order in which the authors append those that a vocabulary lacks."""

EMBEDDING = "encoder.embedding.weight"
OPTIONAL = ("decoder.", "mvc_decoder.", "flag_encoder.", "batch_encoder.", "grad_reverse_discriminator.")
"""Parts that embedding needs not, and that some published files lack."""

RENAMED = (
    (re.compile(r"^module\."), ""),
    (re.compile(r"\.self_attn\._impl\."), ".self_attn."),
    (re.compile(r"\.self_attn\.in_proj_"), ".self_attn.Wqkv."),
)
"""Names of plain attention, of the wrapper that the authors use since 2026, and of parallel training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a folder holds."""

    config: Config
    vocab: GeneVocab
    tensors: Mapping[str, Tensor]
    """Of the encoder and its decoders, in the names of the network."""
    head: Mapping[str, Tensor]
    """Of a fine-tuned head: `cls_decoder.*`; empty if there is none."""


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder and check that its parts fit together.

    Raises
    ------
    CheckpointError
        If a file is missing or unsafe, or the vocabulary is not that of the weights.
    """
    saved = read_saved(folder, CARD)
    if saved is not None:
        config = saved_config(Config, saved.values)
        check_vocab(saved.vocab, config)
        return _checkpoint(config, saved.vocab, saved.tensors)
    if not (folder / ARGS).is_file():
        raise CheckpointError(
            f"There is no args.json in {folder.name}, so this is no scGPT checkpoint.",
            hint="Choose the folder that holds args.json, vocab.json and best_model.pt.",
        )
    args, tokens = read_dictionary(folder / ARGS), read_dictionary(folder / VOCAB)
    if not all(isinstance(token, int) for token in tokens.values()):
        raise CheckpointError(
            "vocab.json does not give each gene the number of its vector.", hint="Download it again."
        )
    tensors = renamed(_published_tensors(folder))
    if EMBEDDING not in tensors:
        raise CheckpointError(
            f"The weights lack {EMBEDDING}, so they are not of scGPT.",
            hint="Choose the folder of an scGPT checkpoint.",
        )
    config = described(Config.from_published(args, len(tensors[EMBEDDING])), tensors)
    vocab = published_vocab(tokens)
    check_vocab(vocab, config)
    return _checkpoint(config, vocab, tensors)


def _checkpoint(config: Config, vocab: GeneVocab, tensors: Mapping[str, Tensor]) -> Checkpoint:
    head = {name: tensor for name, tensor in tensors.items() if name.startswith("cls_decoder.")}
    body = {name: tensor for name, tensor in tensors.items() if name not in head}
    if head:  # the authors write <cls> with 0 when they fine-tune, and with the value of padding before
        config = dataclasses.replace(config, cls_value=0.0)
    return Checkpoint(config=config, vocab=vocab, tensors=body, head=head)


def _published_tensors(folder: Path) -> dict[str, Tensor]:
    for name in PUBLISHED_WEIGHTS:
        if (folder / name).is_file():
            return read_tensors(folder / name)
    raise CheckpointError(f"There are no weights in {folder.name}.", hint=f"Add {PUBLISHED_WEIGHTS[0]}.")


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give tensors, of any shape, such as (V, D), the names of the network, which are those of the released files."""
    names = {}
    for name in tensors:
        ours = name
        for pattern, word in RENAMED:
            ours = pattern.sub(word, ours)
        names[name] = ours
    return {names[name]: tensor for name, tensor in tensors.items()}


def described(config: Config, tensors: Mapping[str, Tensor]) -> Config:
    """Add what a file has beyond a released one, which `args.json` does not tell: parts for batches of cells.

    Parameters
    ----------
    tensors
        By name; the vectors of batches are (n, D).

    Raises
    ------
    CheckpointError
        If the parts tell different numbers of batches apart.
    """
    norms = {name.split(".")[2] for name in tensors if name.startswith("dsbn.bns.")}
    labels = tensors.get("batch_encoder.embedding.weight")
    scores = tensors.get("grad_reverse_discriminator.out_layer.weight")
    n_domains = [len(norms), 0 if labels is None else len(labels), 0 if scores is None else len(scores)]
    if len({n for n in n_domains if n}) > 1:
        raise CheckpointError(
            f"The parts of these weights tell {', '.join(map(str, n_domains))} batches of cells apart.",
            hint="Choose another file; this one was put together from several.",
        )
    return dataclasses.replace(
        config,
        input_norm="domain" if norms else "all" if "bn.running_mean" in tensors else "none",
        n_domains=max(n_domains),
        domain_labels=labels is not None,
        domain_head=scores is not None,
        zero_probability="decoder.zero_logit.0.weight" in tensors,
    )


def published_vocab(tokens: Mapping[str, int]) -> GeneVocab:
    """Make a vocabulary from a published `vocab.json`, with the special tokens that it lacks at its end.

    Some symbols stand for two genes; of these, one is named with its Ensembl id, which becomes an alias.

    Examples
    --------
    >>> vocab = published_vocab({"CD3E": 0, "ZBED1_ENSG00000214717": 1, "<pad>": 2})
    >>> vocab.special
    {'<pad>': 2, '<cls>': 3, '<eoc>': 4}
    >>> vocab.positions(["ensg00000214717"])
    array([1])
    """
    genes = sorted((name for name in tokens if not name.startswith("<")), key=lambda name: tokens[name])
    special = {name: token for name, token in tokens.items() if name.startswith("<")}
    for name in SPECIAL:
        special.setdefault(name, len(genes) + len(special))
    return GeneVocab(
        genes=tuple(genes),
        ids=np.array([tokens[gene] for gene in genes], dtype=np.int64),
        special=special,
        kind="ensembl" if kind_of(genes) == "ensembl" else "symbol",
        aliases=dict(_other_names(genes)),
    )


def _other_names(genes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give the Ensembl ids that names of genes end with, and these names."""
    for gene in genes:
        _, _, ensembl = gene.rpartition("_")
        if ensembl != gene and ENSEMBL.fullmatch(ensembl):
            yield ensembl.upper(), gene


def check_vocab(vocab: GeneVocab, config: Config) -> None:
    """Refuse a vocabulary that is not the network's.

    Raises
    ------
    CheckpointError
        If there are more or fewer tokens than vectors, ids with a hole, or a special token is missing.
    """
    vocab.check_tokens(config.n_tokens)
    absent = [name for name in ("<pad>", "<cls>") if name not in vocab.special]
    if absent:
        raise CheckpointError(
            f"The vocabulary lacks {' and '.join(absent)}.", hint="Restore the vocab.json of this checkpoint."
        )
