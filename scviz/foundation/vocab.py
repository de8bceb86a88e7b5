"""The genes a checkpoint knows, readable without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.datasets.gene_matching import Ambiguous, Matched, Rename, match_further
from scviz.datasets.genes import ENSEMBL, GeneIdentifiers, identifiers, named
from scviz.errors import CheckpointError
from scviz.workspace.plain_json import read_plain
from scviz.workspace.records import fingerprint

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a dataset a model sees."""

    n_found: int
    """Genes of the dataset that the vocabulary knows."""
    n_genes: int
    """Genes of the dataset."""
    n_vocab: int
    """Genes of the vocabulary."""
    lost: tuple[str, ...]
    """Genes of the dataset that the vocabulary does not know, in their order."""
    renames: tuple[Rename, ...] = ()
    """Genes that the vocabulary knows by another name."""
    repeated: tuple[Rename, ...] = ()
    """Lost genes whose place in the vocabulary another gene of the dataset has, whose name is surer."""
    ambiguous: tuple[Ambiguous, ...] = ()
    """Lost genes whose name several genes have."""


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

    def positions(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Find names, also those that genes had once, in the vocabulary, (n,); -1 where unknown.

        Examples
        --------
        >>> vocab = GeneVocab(genes=("SEPTIN2", "CD3E"), ids=np.arange(2), special={}, kind="symbol")
        >>> vocab.positions(["cd3e", "SEPT2", "CD4"]).tolist()
        [1, 0, -1]
        """
        found = self._as_written(names)
        return self._filled(named(names), found).places if (found < 0).any() else found

    def _as_written(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Find names as the vocabulary and the authors' aliases have them, (n,).

        An alias of Ensembl ids comes before a gene of that id, since Geneformer's published mapping sends some genes
        of its vocabulary to others. Aliases and Ensembl ids are found in any case, symbols as they are written.
        """
        at = _places(self.genes)
        aliases = [at.get(self.aliases.get(name.upper(), ""), -1) for name in names]
        if self.kind == "ensembl":
            own = [at.get(name, at.get(name.upper(), -1)) for name in names]
            return _first(aliases, own)
        own = [at.get(name, -1) for name in names]
        return _first(own, aliases)

    def tokens_at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Turn positions in the vocabulary into tokens, (n,); -1 stays -1."""
        return np.where(positions >= 0, self.ids[positions], -1)

    def column_tokens(self, var: pd.DataFrame) -> NDArray[np.int64]:
        """Find the token of each gene of a dataset, (G,); -1 where unknown."""
        return self.tokens_at(self.match(identifiers(var)))

    def check_tokens(self, n_tokens: int) -> None:
        """Refuse to be the vocabulary of a network with other tokens than those from 0 to n_tokens - 1.

        Raises
        ------
        CheckpointError
            If there are more or fewer tokens, or one is left out.
        """
        ids = sorted([*self.ids.tolist(), *self.special.values()])
        if ids != list(range(n_tokens)):
            raise CheckpointError(
                f"The network knows {n_tokens:,} tokens, and the vocabulary {len(ids):,} with ids from "
                f"{ids[0] if ids else 0} to {ids[-1] if ids else 0}.",
                hint="Take the vocabulary and the weights from the same checkpoint.",
            )

    def match(self, ids: GeneIdentifiers) -> NDArray[np.int64]:
        """Find the genes of a dataset in the vocabulary, (G,); -1 where unknown.

        A gene is looked up as it is written, by the kind of name that the vocabulary uses, then by its other name;
        where that fails by the names it had.
        """
        return self.matched(ids).places

    def matched(self, ids: GeneIdentifiers) -> Matched:
        """Find the genes of a dataset in the vocabulary, and tell by which names."""
        return self._filled(ids, np.full(len(ids), -1, dtype=np.int64))

    def _filled(self, ids: GeneIdentifiers, found: NDArray[np.int64]) -> Matched:
        """Find the genes that have no place yet, (G,)."""
        kinds = (ids.ensembl, ids.symbol) if self.kind == "ensembl" else (ids.symbol, ids.ensembl)
        if (
            self.kind == "symbol" and ids.given
        ):  # a list may hold names that are taken apart elsewhere: MT-CO1__chrM
            at = _places(self.genes)
            found = np.where(found < 0, np.array([at.get(name, -1) for name in ids.given]), found)
        for names in kinds:
            if names is not None and (found < 0).any():
                more = self._as_written(names)
                found = np.where((found < 0) & ~np.isin(more, found), more, found)
        return match_further(ids, self.genes, found)

    def coverage(self, ids: GeneIdentifiers) -> Coverage:
        """Tell how many genes of a dataset a model knows, and which ones it will not see."""
        matched = self.matched(ids)
        names = ids.names
        return Coverage(
            n_found=int(np.sum(matched.places >= 0)),
            n_genes=len(ids),
            n_vocab=len(self),
            lost=tuple(names[i] for i in np.flatnonzero(matched.places < 0)),
            renames=matched.renames,
            repeated=matched.repeated,
            ambiguous=matched.ambiguous,
        )

    def fingerprint(self) -> str:
        """Hash the genes with their tokens and numbers, whatever their order, to tell vocabularies apart."""
        order = np.argsort(self.ids, kind="stable")
        numbers = {key: array[order].tolist() for key, array in sorted(self.values.items())}
        return fingerprint(
            [self.genes[i] for i in order], self.ids[order].tolist(), dict(self.special), numbers
        )

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
        content = read_plain(path)
        return cls(
            genes=tuple(content["genes"]),
            ids=np.array(content["ids"], dtype=np.int64),
            special=content["special"],
            kind=content["kind"],
            aliases=content["aliases"],
            values={key: np.array(array, dtype=np.float64) for key, array in content["values"].items()},
        )


def _first(places: Sequence[int], others: Sequence[int]) -> NDArray[np.int64]:
    """Take places, and others where there is none, (n,)."""
    pairs = zip(places, others, strict=True)
    return np.array([one if one >= 0 else other for one, other in pairs], dtype=np.int64)


@lru_cache(maxsize=16)
def _places(genes: tuple[str, ...]) -> dict[str, int]:
    """Find the names of a vocabulary, and Ensembl ids among them in capital letters too."""
    at = {gene: place for place, gene in enumerate(genes)}
    return {gene.upper(): place for gene, place in at.items() if ENSEMBL.fullmatch(gene)} | at
