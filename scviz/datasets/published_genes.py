"""Which genes the published models know: their lists are facts, kept in `assets/genes`; no weights are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scviz.datasets.gene_matching import Ambiguous, Rename, match_list
from scviz.datasets.gene_table import FOLDER, IDS, lines
from scviz.datasets.genes import GeneIdentifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGenes:
    """The genes that a published model knows."""

    model: str
    """Folder of the model in `scviz/models`."""
    title: str
    released: str
    """Weights with these genes, as the card of the model calls them; empty where none is listed."""
    genes: tuple[str, ...]
    """V symbols or Ensembl ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCoverage:
    """How much of a dataset a published model would see."""

    model: str
    """Folder of the model in `scviz/models`."""
    title: str
    """What the published model is called."""
    released: str
    """Weights with these genes, as the card of the model calls them; empty where none is listed."""
    n_found: int
    """Genes of the dataset that it knows."""
    n_genes: int
    """Genes of the dataset."""
    n_vocab: int
    """Genes that it knows in all."""
    lost: tuple[str, ...]
    """Genes of the dataset that it does not know, in their order."""
    renames: tuple[Rename, ...]
    """Genes that it knows by another name."""
    repeated: tuple[Rename, ...]
    """Lost genes whose place another gene of the dataset has."""
    ambiguous: tuple[Ambiguous, ...]
    """Lost genes whose name several genes have."""


@lru_cache(maxsize=1)
def published_genes() -> tuple[PublishedGenes, ...]:
    """List the genes of each published model whose list is at hand; that of scBERT is not."""
    with np.load(FOLDER / "published.npz") as file:
        symbols, lists = lines(file["symbols"]), file["lists"]
        ids = {name: file[name].tolist() for name in ("geneformer_v1", "geneformer_v2")}
    of_bit = [
        tuple(symbols[place] for place in np.flatnonzero(lists & (1 << bit)).tolist()) for bit in range(3)
    ]
    named = {
        name: tuple(f"{IDS['human']}{number:011d}" for number in numbers) for name, numbers in ids.items()
    }
    return (
        PublishedGenes(
            model="geneformer",
            title="Geneformer V1",
            released="Geneformer-V1-10M",
            genes=named["geneformer_v1"],
        ),
        PublishedGenes(
            model="geneformer",
            title="Geneformer V2",
            released="Geneformer-V2-104M",
            genes=named["geneformer_v2"],
        ),
        PublishedGenes(
            model="scgpt", title="scGPT whole-human", released="scGPT-whole-human", genes=of_bit[0]
        ),
        PublishedGenes(model="scgpt", title="scGPT, first release", released="", genes=of_bit[1]),
        PublishedGenes(model="scfoundation", title="scFoundation", released="models.ckpt", genes=of_bit[2]),
    )


@lru_cache(maxsize=16)
def published_coverage(ids: GeneIdentifiers) -> tuple[PublishedCoverage, ...]:
    """Tell for each published model how many genes of a dataset it knows, and which it does not.

    Examples
    --------
    >>> ids = GeneIdentifiers(ensembl=None, symbol=("CD3E", "SEPT2", "no gene"))
    >>> [(one.title, one.n_found, one.n_genes, one.lost) for one in published_coverage(ids)][4]
    ('scFoundation', 2, 3, ('no gene',))
    """
    names = ids.names
    found = []
    for model in published_genes():
        matched = match_list(ids, model.genes)
        lost = tuple(names[i] for i in np.flatnonzero(matched.places < 0).tolist())
        found.append(
            PublishedCoverage(
                model=model.model,
                title=model.title,
                released=model.released,
                n_found=len(ids) - len(lost),
                n_genes=len(ids),
                n_vocab=len(model.genes),
                lost=lost,
                renames=matched.renames,
                repeated=matched.repeated,
                ambiguous=matched.ambiguous,
            )
        )
    return tuple(found)
