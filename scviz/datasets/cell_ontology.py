"""The Cell Ontology: terms of cell types, what is a kind of what, and the coarse type of each.

Cell Ontology, release 2026-03-26, CC BY 4.0, https://obofoundry.org/ontology/cl: `assets/ontology`. Read when asked.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from scviz.settings import ROOT

TABLE = ROOT / "assets" / "ontology" / "cell_types.tsv.gz"
SOURCE = "Cell Ontology, release 2026-03-26 (CC BY 4.0)"
CELL = "CL:0000000"
COARSE = (
    "CL:0000084",  # T cell
    "CL:0000236",  # B cell
    "CL:0000946",  # antibody secreting cell
    "CL:0000623",  # natural killer cell
    "CL:0001065",  # innate lymphoid cell
    "CL:0000576",  # monocyte
    "CL:0000451",  # dendritic cell
    "CL:0000235",  # macrophage
    "CL:0000129",  # microglial cell
    "CL:0000097",  # mast cell
    "CL:0000775",  # neutrophil
    "CL:0000771",  # eosinophil
    "CL:0000767",  # basophil
    "CL:0000556",  # megakaryocyte
    "CL:0000764",  # erythroid lineage cell
    "CL:0008001",  # hematopoietic precursor cell
    "CL:0000092",  # osteoclast
    "CL:0000115",  # endothelial cell
    "CL:0000669",  # pericyte
    "CL:0000192",  # smooth muscle cell
    "CL:0000746",  # cardiac muscle cell
    "CL:0008002",  # skeletal muscle fiber
    "CL:0000594",  # skeletal muscle satellite cell
    "CL:0000057",  # fibroblast
    "CL:0000136",  # adipocyte
    "CL:0000062",  # osteoblast
    "CL:0000138",  # chondrocyte
    "CL:0000134",  # mesenchymal stem cell
    "CL:0000077",  # mesothelial cell
    "CL:0000148",  # melanocyte
    "CL:0000312",  # keratinocyte
    "CL:0000182",  # hepatocyte
    "CL:0000653",  # podocyte
    "CL:0008024",  # pancreatic endocrine cell
    "CL:0002064",  # pancreatic acinar cell
    "CL:0002079",  # pancreatic ductal cell
    "CL:0000066",  # epithelial cell
    "CL:0000127",  # astrocyte
    "CL:0000128",  # oligodendrocyte
    "CL:0002453",  # oligodendrocyte precursor cell
    "CL:0002573",  # Schwann cell
    "CL:0000210",  # photoreceptor cell
    "CL:0000540",  # neuron
    "CL:0000125",  # glial cell
    "CL:0000586",  # germ cell
    "CL:0000351",  # trophoblast cell
    "CL:0001064",  # malignant cell
)
"""Types that a coarse comparison tells apart."""
ALSO = MappingProxyType({"CL:0000233": "CL:0000556"})
"""Platelets count with the megakaryocytes that they come from: in blood either name is given to the same cells."""
Relation = Literal["same", "broader", "narrower", "coarse", "different", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A cell type of the ontology."""

    id: str
    """Such as CL:0000084."""
    label: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    """Ids of what it is directly a kind of."""


@lru_cache(maxsize=1)
def terms() -> Mapping[str, Term]:
    """Read all terms, by id."""
    with gzip.open(TABLE, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        found = {
            row["id"]: Term(
                id=row["id"],
                label=row["label"],
                synonyms=_several(row["synonyms"]),
                parents=_several(row["parents"]),
            )
            for row in rows
        }
    return MappingProxyType(found)


def label_of(term: str) -> str:
    """Return the label of a term; the id itself where it is not in this release."""
    known = terms().get(term)
    return known.label if known else term


def ancestors(term: str) -> frozenset[str]:
    """Return all that a term is a kind of, without itself; nothing for an unknown one.

    Examples
    --------
    >>> "CL:0000084" in ancestors("CL:0000624")
    True
    """
    return frozenset(_steps_up(term)) - {term}


def common_parent(ids: Collection[str]) -> str | None:
    """Return the narrowest term that all of these are kinds of, which may be one of them; None where there is none.

    Where several are equally narrow, the one with the fewest kinds below it, then that of the smaller id.

    Examples
    --------
    >>> label_of(common_parent(["CL:0000624", "CL:0000625"]))
    'mature alpha-beta T cell'
    """
    lines = [set(_steps_up(one)) for one in ids]
    if not lines:
        return None
    shared = set.intersection(*lines)
    lowest = [one for one in shared if not any(one in ancestors(other) for other in shared)]
    return min(lowest, key=lambda one: (_n_kinds()[one], one), default=None)


def coarse(term: str) -> str:
    """Return the coarse type of a term: the nearest of `COARSE` that it is a kind of, else itself.

    Examples
    --------
    >>> [label_of(coarse(one)) for one in ("CL:0000624", "CL:0000625", "CL:0000784", "CL:0000233")]
    ['T cell', 'T cell', 'dendritic cell', 'megakaryocyte']
    """
    up = _steps_up(term)
    of_these = [(up[one], place, one) for place, one in enumerate((*COARSE, *ALSO)) if one in up]
    nearest = min(of_these)[2] if of_these else term
    return ALSO.get(nearest, nearest)


def common_name(ids: Collection[str]) -> str | None:
    """Return what to call a cell that may be any of these: their coarse type if they share it, else `common_parent`.

    Examples
    --------
    >>> label_of(common_name(["CL:0000624", "CL:0000625"])), label_of(common_name(["CL:0000624", "CL:0000623"]))
    ('T cell', 'lymphocyte')
    """
    parent = common_parent(ids)
    if len(set(ids)) == 1 or parent is None:
        return parent
    wide = {coarse(one) for one in ids}
    shared = next(iter(wide)) if len(wide) == 1 else None
    return shared if shared is not None and all(shared in _steps_up(one) for one in ids) else parent


def relation(own: str | None, other: str | None) -> Relation:
    """Say how a term stands to another: the same, what the other is a kind of, a kind of it, or of one coarse type.

    Examples
    --------
    >>> relation("CL:0000084", "CL:0000624"), relation("CL:0000624", "CL:0000625"), relation("CL:0000236", "CL:0000084")
    ('broader', 'coarse', 'different')
    """
    if not own or not other or not {own, other} <= set(terms()):
        return "unknown"
    if own == other:
        return "same"
    if own in ancestors(other):
        return "broader"
    if other in ancestors(own):
        return "narrower"
    return "coarse" if coarse(own) == coarse(other) else "different"


@lru_cache(maxsize=4096)
def _steps_up(term: str) -> Mapping[str, int]:
    """Count the steps from a term to itself and to everything that it is a kind of."""
    if term not in terms():
        return MappingProxyType({})
    steps, waiting = {term: 0}, deque([term])
    while waiting:
        one = waiting.popleft()
        for parent in terms()[one].parents:
            if parent not in steps and parent in terms():
                steps[parent] = steps[one] + 1
                waiting.append(parent)
    return MappingProxyType(steps)


@lru_cache(maxsize=1)
def _n_kinds() -> Mapping[str, int]:
    """Count the terms below each term."""
    counts: dict[str, int] = defaultdict(int)
    for term in terms():
        for one in _steps_up(term):
            counts[one] += 1
    return counts


def _several(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.split("|") if one)
