"""Of which species genes are: by the beginnings of Ensembl ids, by prefixes of genomes, by the tables of symbols."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scviz.datasets.gene_names import genome_of
from scviz.datasets.gene_table import folded, gene_table
from scviz.metrics.evidence import counted

Species = Literal["human", "mouse", "unknown"]

FEWEST_KNOWN = 10
"""Names that must be known before they tell a species."""
FEWEST_TELLING = 5
"""Names known of one species alone that tell it."""
SHARE = 0.8
"""Share of them that one species must have."""
SECOND = 0.05
"""Share of genes from which on a second species counts."""

BY_ID = {
    "ENSG": "human",
    "ENSMUSG": "mouse",
    "ENSRNOG": "rat",
    "ENSDARG": "zebrafish",
    "ENSMMUG": "rhesus macaque",
    "ENSMFAG": "crab-eating macaque",
    "ENSPTRG": "chimpanzee",
    "ENSCJAG": "marmoset",
    "ENSMICG": "mouse lemur",
    "ENSSSCG": "pig",
    "ENSBTAG": "cow",
    "ENSOARG": "sheep",
    "ENSECAG": "horse",
    "ENSCAFG": "dog",
    "ENSFCAG": "cat",
    "ENSOCUG": "rabbit",
    "ENSCPOG": "guinea pig",
    "ENSMAUG": "golden hamster",
    "ENSGALG": "chicken",
    "ENSXETG": "frog",
    "FBGN": "fly",
    "WBGENE": "worm",
}
"""Species by what their ids begin with."""


RAT = re.compile(r"RT1-\w.*|AABR0\d{7}(\.\d+)?|RGD\d{5,}", re.IGNORECASE)
"""Genes of rats alone: their major histocompatibility complex, and names by which annotations number the others."""
MOUSE = re.compile(r"H2-\w.*|Gm\d{3,}|\w*\d{4,}\w*Rik", re.IGNORECASE)
"""The same of mice."""
FEWEST_RAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeciesGuess:
    """The species that gene names speak for."""

    species: Species
    evidence: str
    """A sentence with the numbers that led to this."""
    called: str = ""
    """What it is called, also where it is neither human nor mouse: "rat", "human and mouse"; empty if not known."""


def species_of_ids(ids: Sequence[str]) -> SpeciesGuess:
    """Tell the species by the beginnings of ids, such as ENSG, ENSMUSG or FBgn.

    Examples
    --------
    >>> species_of_ids(["ENSRNOG00000012345", "ENSRNOG00000012346"])
    SpeciesGuess(species='unknown', evidence='2 of 2 Ensembl ids begin with ENSRNOG: rat.', called='rat')
    """
    counts = Counter(one.upper().rstrip("0123456789") for one in ids)
    sides = [(start, n) for start, n in counts.most_common(2) if n > SECOND * len(ids)]
    told = [
        f"{n:,} of {len(ids):,} Ensembl ids begin with {start}: {BY_ID.get(start, 'a species not known here')}"
        for start, n in sides
    ]
    names = [BY_ID[start] for start, _ in sides if start in BY_ID]
    return _guess(names if len(names) == len(sides) else [], "; ".join(told) + ".")


def species_of_genomes(names: Sequence[str]) -> SpeciesGuess | None:
    """Tell the species by the genomes that stand in front of names, of which there are several; None where not.

    Examples
    --------
    >>> species_of_genomes(["GRCh38_CD3E", "mm10___Cd3e"]).called, species_of_genomes(["GRCh38_CD3E"])
    ('human and mouse', None)
    """
    counts = Counter(genome_of(name) for name in names)
    del counts[""]
    if len(counts) < 2:
        return None
    told = "; ".join(
        f"{counted(n, 'name')} begin with a genome of {species}" for species, n in counts.most_common()
    )
    return _guess(list(counts), f"{told}.")


def species_of_symbols(symbols: Sequence[str]) -> SpeciesGuess:
    """Tell the species by how many symbols each table knows; letters may be small or capital.

    Names that one table alone knows decide. Where these are few or do not agree, it is whether names are known
    exactly as they are written.

    Examples
    --------
    >>> few = species_of_symbols(["CD3E", "MS4A1", "NKG7"])
    >>> few.species, few.evidence
    ('unknown', '3 of 3 names are known as genes, too few to tell the species.')
    """
    names = {symbol.strip() for symbol in symbols if symbol.strip()}
    capitals = {name.upper() for name in names}
    human, mouse = capitals & folded("human"), capitals & folded("mouse")
    known = len(human | mouse)
    if known < FEWEST_KNOWN:
        evidence = f"{known:,} of {len(names):,} names are known as genes, too few to tell the species."
        return SpeciesGuess(species="unknown", evidence=evidence)
    evidence = (
        f"{len(human):,} of {len(names):,} names are known as human genes, {len(mouse):,} as mouse genes; "
        f"{len(human - mouse):,} are human alone, {len(mouse - human):,} mouse alone."
    )
    exact = {
        "human": len(names & gene_table("human").by_symbol.keys()),
        "mouse": len(names & gene_table("mouse").by_symbol.keys()),
    }
    rat, rest = _of_rats(names)
    if rat:
        return _guess(
            ["rat"], f"{evidence} {rat:,} are such as rats alone have, {rest:,} such as mice alone have."
        )
    return _guess(
        _of_counts({"human": len(human - mouse), "mouse": len(mouse - human)}, exact, known=known), evidence
    )


def _of_rats(names: set[str]) -> tuple[int, int]:
    """Count names that rats alone have and those that mice alone have; 0 of rats where they do not speak for them.

    Most symbols of rats are those of mice.
    """
    rat, mouse = (sum(kind.fullmatch(name) is not None for name in names) for kind in (RAT, MOUSE))
    return (rat if rat >= FEWEST_RAT and rat > mouse else 0), mouse


def _of_counts(telling: dict[str, int], exact: dict[str, int], *, known: int) -> list[str]:
    """Name the species that numbers of names speak for: one, both, or none."""
    most = max(telling, key=lambda name: telling[name])
    total = sum(telling.values())
    if total >= FEWEST_TELLING and telling[most] >= SHARE * total:
        return [most]
    written = max(exact, key=lambda name: exact[name])
    if exact[written] >= known / 2 and exact[written] >= SHARE * sum(exact.values()):
        return [written]
    if min(exact.values()) > SHARE / 4 * known and min(telling.values()) >= FEWEST_TELLING:
        return list(exact)
    return []


def _guess(names: Sequence[str], evidence: str) -> SpeciesGuess:
    one = names[0] if len(names) == 1 else ""
    species: Species = "human" if one == "human" else "mouse" if one == "mouse" else "unknown"
    return SpeciesGuess(species=species, evidence=evidence, called=" and ".join(names))
