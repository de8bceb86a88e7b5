"""Checkpoint folders as they are saved here: `config.json`, `vocab.json` and `weights.safetensors`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors.torch import save_file
from torch import Tensor

from scviz.errors import CheckpointError
from scviz.foundation.card import ModelCard
from scviz.foundation.vocab import GeneVocab
from scviz.foundation.weights import read_dictionary, read_tensors, refuse_placeholder
from scviz.workspace.records import from_json

CONFIG, VOCAB, WEIGHTS = "config.json", "vocab.json", "weights.safetensors"

Config = TypeVar("Config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a folder that was saved here holds."""

    values: Mapping[str, Any]
    """Of `config.json`: the fields of the config, or what else the model wrote."""
    vocab: GeneVocab
    tensors: Mapping[str, Tensor]


def write_saved(
    folder: Path,
    card: ModelCard,
    *,
    values: Mapping[str, Any],
    vocab: GeneVocab,
    tensors: Mapping[str, Tensor],
) -> None:
    """Write a folder that `read_saved` reads.

    Parameters
    ----------
    values
        For `config.json`.
    tensors
        By name, of any shape, such as (V, D).
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = {"model": card.name, "vocab": vocab.fingerprint(), **values}
    (folder / CONFIG).write_text(json.dumps(content, indent=1), encoding="utf-8")
    vocab.save(folder / VOCAB)
    save_file(
        {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}, folder / WEIGHTS
    )


def read_saved(folder: Path, card: ModelCard) -> Saved | None:
    """Read a folder that was saved here; None if it was not.

    Raises
    ------
    CheckpointError
        If it is of another model, a file is missing, or the vocabulary is not that of the weights.
    """
    values = read_dictionary(folder / CONFIG) if (folder / CONFIG).is_file() else {}
    if not isinstance(values.get("model"), str):
        return None
    if values["model"] != card.name:
        raise CheckpointError(
            f"This is a checkpoint of {values['model']!r}, not of {card.title}.",
            hint="Import it as what it is.",
        )
    refuse_placeholder(folder / VOCAB)
    vocab = GeneVocab.load(folder / VOCAB)
    if values.get("vocab") != vocab.fingerprint():
        raise CheckpointError(
            "vocab.json is not the vocabulary that these weights were saved with.",
            hint="Restore the vocab.json of this checkpoint; with another one every number would be wrong.",
        )
    return Saved(values=values, vocab=vocab, tensors=read_tensors(folder / WEIGHTS))


def saved_config(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Make the config of a network, a dataclass, from values of our own `config.json`; others are left out.

    Raises
    ------
    CheckpointError
        If a value is missing or is none of its kind.
    """
    try:
        return from_json(kind, values)
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"config.json does not describe this network: {error}.",
            hint="Restore the config.json of this checkpoint.",
        ) from error
