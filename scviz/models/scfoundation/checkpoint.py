"""Read a checkpoint folder: as published, with three sets of weights, or as saved here."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from scviz.errors import CheckpointError
from scviz.foundation.saved import Saved, read_saved, saved_config, write_saved
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import read_dictionary, read_nested, refuse_placeholder
from scviz.models.scfoundation import CARD
from scviz.models.scfoundation.config import SPECIAL, Config
from scviz.models.scfoundation.tokenizer import renamed_genes

PUBLISHED_WEIGHTS, GENE_LIST, ALIASES = "models.ckpt", "OS_scRNA_gene_index*.tsv", "gene_aliases.json"

MEMBERS = ("cell", "rde", "gene")
"""Sets of weights in the published file: for embedding, for raising the depth of cells, for genes."""

PLAIN_CONFIG = (
    "If it is the authors' file, open it once with their code, turn the config of each member into a plain "
    "dictionary (omegaconf: OmegaConf.to_container), and save it again with torch.save."
)

RENAMED = (
    (r"^model\.", ""),
    (r"^token_emb\.mlp\.", "value_embedding.hidden."),
    (r"^token_emb\.mlp2\.", "value_embedding.mix."),
    (r"^token_emb\.emb\.", "value_embedding.bins."),
    (r"^token_emb\.emb_(mask|pad)\.", r"value_embedding.\1."),
    (r"^pos_emb\.", "position_embedding."),
    (r"^encoder\.transformer_encoder\.", "encoder_layers."),
    (r"\.self_attn\.in_proj_(weight|bias)$", r".qkv.\1"),
    (r"\.self_attn\.out_proj\.", ".out."),
    (r"\.linear1\.", ".widen."),
    (r"\.linear2\.", ".narrow."),
    (r"^encoder\.norm\.", "encoder_norm."),
    (r"^decoder_embed\.", "to_decoder."),
    (r"^decoder\.performer\.calls_since_last_redraw$", "n_calls"),
    (r"^decoder\.performer\.net\.layers\.(\d+)\.0\.norm\.", r"decoder_blocks.\1.norm1."),
    (r"^decoder\.performer\.net\.layers\.(\d+)\.1\.norm\.", r"decoder_blocks.\1.norm2."),
    (r"^decoder\.performer\.net\.layers\.(\d+)\.0\.fn\.", r"decoder_blocks.\1.attention."),
    (r"\.fast_attention\.projection_matrix$", ".projection"),
    (r"\.to_q\.", ".query."),
    (r"\.to_k\.", ".key."),
    (r"\.to_v\.", ".value."),
    (r"\.to_out\.", ".out."),
    (r"^decoder\.performer\.net\.layers\.(\d+)\.1\.fn\.fn\.w1\.", r"decoder_blocks.\1.widen."),
    (r"^decoder\.performer\.net\.layers\.(\d+)\.1\.fn\.fn\.w2\.", r"decoder_blocks.\1.narrow."),
    (r"^decoder\.norm\.", "decoder_norm."),
    (r"^to_final\.", "to_expression."),
)
"""The authors' names of tensors and ours; applied one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One set of weights."""

    config: Config
    tensors: Mapping[str, Tensor]
    """In our names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a folder holds."""

    vocab: GeneVocab
    members: Mapping[str, Member]

    def choose(self, wanted: str | None) -> str:
        """Name the member that is wanted; where nothing is wanted the first of "cell", "rde" and "gene".

        A folder with one set of weights, such as one trained here, has the same for every task.

        Raises
        ------
        CheckpointError
            If there are several members and not that one.
        """
        if wanted is not None and wanted in self.members:
            return wanted
        if wanted is None or len(self.members) == 1:
            return min(self.members, key=MEMBERS.index)
        raise CheckpointError(
            f"The checkpoint has no weights {wanted!r}; it has {', '.join(self.members)}.",
            hint="Download models.ckpt again: it holds weights for cells (cell), depth (rde) and genes (gene).",
        )


def our_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Translate the authors' names of tensors, which keep their shapes, such as (V, D)."""
    return {our_name(name): tensor for name, tensor in tensors.items()}


def our_name(name: str) -> str:
    """Translate one name.

    Examples
    --------
    >>> our_name("model.encoder.transformer_encoder.3.self_attn.in_proj_bias")
    'encoder_layers.3.qkv.bias'
    """
    for theirs, ours in RENAMED:
        name = re.sub(theirs, ours, name)
    return name


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder and check that its parts fit together.

    Raises
    ------
    CheckpointError
        If a file is missing or unsafe, or the gene list is not that of the weights.
    """
    saved = read_saved(folder, CARD)
    checkpoint = _read_published(folder) if saved is None else _members_of(saved)
    for name, member in checkpoint.members.items():
        _check_vocab(checkpoint.vocab, member.config, name)
    return checkpoint


def write_checkpoint(folder: Path, vocab: GeneVocab, members: Mapping[str, Member]) -> None:
    """Write `config.json`, `vocab.json` and `weights.safetensors`; names of tensors begin with their member."""
    configs = {name: dataclasses.asdict(member.config) for name, member in members.items()}
    tensors = {
        f"{name}.{key}": tensor for name, member in members.items() for key, tensor in member.tensors.items()
    }
    write_saved(folder, CARD, values={"members": configs}, vocab=vocab, tensors=tensors)


def _members_of(saved: Saved) -> Checkpoint:
    """Tell the sets of weights of a folder apart by the beginnings of their tensors' names."""
    members = {}
    for name, values in saved.values["members"].items():
        start = f"{name}."
        own = {
            key.removeprefix(start): tensor for key, tensor in saved.tensors.items() if key.startswith(start)
        }
        members[name] = Member(config=saved_config(Config, values), tensors=own)
    return Checkpoint(vocab=saved.vocab, members=members)


def _read_published(folder: Path) -> Checkpoint:
    path = folder / PUBLISHED_WEIGHTS
    if not path.is_file():
        raise CheckpointError(
            f"There is no {PUBLISHED_WEIGHTS} in {folder.name}, so this is no scFoundation checkpoint.",
            hint=f"Choose the folder that holds {PUBLISHED_WEIGHTS} and OS_scRNA_gene_index.19264.tsv.",
        )
    vocab = published_vocab(folder)
    content = read_nested(path, hint=PLAIN_CONFIG)
    names = [name for name in MEMBERS if name in content]
    if not names:
        raise CheckpointError(
            f"The file {path.name} holds none of the weights {', '.join(MEMBERS)}.",
            hint="Choose the models.ckpt of scFoundation.",
        )
    return Checkpoint(vocab=vocab, members={name: _member(content[name], path, name) for name in names})


def _member(content: Any, path: Path, name: str) -> Member:
    """Read one set of weights: its config and its tensors."""
    config, tensors = (
        content.get(key) if isinstance(content, Mapping) else None for key in ("config", "state_dict")
    )
    if not isinstance(config, Mapping) or not isinstance(tensors, Mapping):
        raise CheckpointError(
            f"The weights {name!r} in {path.name} lack a config or a state_dict.",
            hint="Choose the models.ckpt of scFoundation.",
        )
    own = {key: tensor for key, tensor in tensors.items() if isinstance(tensor, Tensor)}
    return Member(config=Config.from_authors(config), tensors=our_names(own))


def published_vocab(folder: Path) -> GeneVocab:
    """Read the gene list of a folder, and other names of genes if there is a file of them.

    Raises
    ------
    CheckpointError
        If there is no gene list, or several, or other names lead to genes that it lacks.
    """
    paths = sorted(folder.glob(GENE_LIST))
    if len(paths) != 1:
        raise CheckpointError(
            f"{len(paths)} gene lists {GENE_LIST} are in {folder.name}, where one is needed.",
            hint="Put OS_scRNA_gene_index.19264.tsv, published beside the code of scFoundation, into the folder.",
        )
    genes = read_gene_list(paths[0])
    vocab = list_vocab(genes)
    if not (folder / ALIASES).is_file():
        return vocab
    aliases = {str(old).upper(): str(gene) for old, gene in read_dictionary(folder / ALIASES).items()}
    unknown = [gene for gene in aliases.values() if gene not in set(genes)]
    if unknown:
        raise CheckpointError(
            f"{ALIASES} leads to {len(unknown):,} genes that are not in the list, {unknown[0]} for one.",
            hint="The second name of each pair must be one of the gene list.",
        )
    return dataclasses.replace(vocab, aliases={**vocab.aliases, **aliases})


def read_gene_list(path: Path) -> tuple[str, ...]:
    """Read a table with the columns gene_name and index, in the order of the index.

    Raises
    ------
    CheckpointError
        If it lacks a column, repeats a gene, or leaves an index out.
    """
    refuse_placeholder(path)
    hint = "Download the gene list again; its order is the order of the weights."
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (int(row["index"]), row["gene_name"].strip()) for row in csv.DictReader(file, delimiter="\t")
            ]
    except (KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise CheckpointError(
            f"The file {path.name} is no table of gene_name and index: {error}.", hint=hint
        ) from error
    genes = tuple(gene for _, gene in sorted(rows))
    if [index for index, _ in sorted(rows)] != list(range(len(rows))) or len(set(genes)) < len(genes):
        raise CheckpointError(f"The file {path.name} repeats a gene or leaves an index out.", hint=hint)
    return genes


def list_vocab(
    genes: Sequence[str],
    *,
    kind: Literal["symbol", "ensembl"] = "symbol",
    aliases: Mapping[str, str] | None = None,
) -> GeneVocab:
    """Make a vocabulary of a gene list: positions in its order, then T, S and padding."""
    return GeneVocab(
        genes=tuple(genes),
        ids=np.arange(len(genes), dtype=np.int64),
        special={name: len(genes) + i for i, name in enumerate(SPECIAL)},
        kind=kind,
        aliases={**renamed_genes(genes), **(aliases or {})},
    )


def _check_vocab(vocab: GeneVocab, config: Config, name: str) -> None:
    """Refuse a gene list that is not the network's."""
    ids = sorted(vocab.ids.tolist())
    if ids != list(range(config.n_genes)) or dict(vocab.special) != {
        word: config.n_genes + i for i, word in enumerate(SPECIAL)
    }:
        raise CheckpointError(
            f"The weights {name!r} know {config.n_genes:,} genes, and the gene list has {len(vocab):,}.",
            hint="Take the gene list and the weights from the same release.",
        )
