"""The genes a checkpoint knows, readable without torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneVocab:
    """Names of genes and the token of each."""

    genes: tuple[str, ...]
    """V names, in the order of the rows of `gene_embeddings()`."""
    ids: NDArray[np.int64]
    """(V,) token id of each gene."""
    special: Mapping[str, int]
    """Tokens that are no genes: {"<pad>": 0, "<mask>": 1}."""
    kind: Literal["symbol", "ensembl"]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names, in upper case, and the gene of the vocabulary that each stands for."""
    values: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """(V,) numbers that the model keeps for each gene, such as {"median": ...}."""

    def __len__(self) -> int:
        return len(self.genes)

    def positions(self, names: Iterable[str]) -> NDArray[np.int64]:
        """Find names, or aliases in any case, in the vocabulary; -1 where unknown."""
        at = {gene: i for i, gene in enumerate(self.genes)}
        return np.array([at.get(name, at.get(self.aliases.get(name.upper(), ""), -1)) for name in names], dtype=np.int64)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        content = {
            "kind": self.kind,
            "genes": self.genes,
            "ids": self.ids.tolist(),
            "special": dict(self.special),
            "aliases": dict(self.aliases),
            "values": {key: array.tolist() for key, array in self.values.items()},
        }
        path.write_text(json.dumps(content), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> GeneVocab:
        """Read what `save` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            genes=tuple(content["genes"]),
            ids=np.array(content["ids"], dtype=np.int64),
            special=content["special"],
            kind=content["kind"],
            aliases=content["aliases"],
            values={key: np.array(array, dtype=np.float64) for key, array in content["values"].items()},
        )
