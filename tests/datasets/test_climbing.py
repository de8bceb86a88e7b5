"""One name for each set of types."""

from __future__ import annotations

import numpy as np
import pytest

from scviz.datasets.cell_ontology import ancestors
from scviz.datasets.climbing import climb
from scviz.metrics.conformal import NONE_KNOWN

TYPES = ("CD4 T", "CD8 T", "B", "Monocyte", "Erythrocyte", "mystery")
TERMS = ("CL:0000624", "CL:0000625", "CL:0000236", "CL:0000576", "CL:0000232", "")


def sets(*rows: str) -> np.ndarray:
    """Sets by the first letters of their types."""
    return np.array([[name in row.split(",") for name in TYPES] for row in rows])


@pytest.mark.parametrize(
    ("types", "name"),
    [
        ("CD4 T", "CD4 T"),
        ("CD4 T,CD8 T", "T cell"),
        ("CD4 T,B", "lymphocyte"),
        ("", NONE_KNOWN),
        ("mystery", "mystery"),
        ("CD4 T,mystery", "CD4 T | mystery"),
    ],
)
def test_a_set_has_the_narrowest_name(types: str, name: str) -> None:
    assert climb(sets(types), TYPES, TERMS).names.tolist() == [name]


def test_a_name_holds_its_set_and_the_kinds_of_its_term() -> None:
    rng = np.random.default_rng(0)
    given = rng.random((200, len(TYPES))) < 0.4
    found = climb(given, TYPES, TERMS)
    assert (found.holds >= given).all()
    for row, term, inside in zip(found.holds, found.terms, given, strict=True):
        if term and inside.sum() > 1:
            kinds = [one == term or term in ancestors(one) for one in TERMS]
            assert row.tolist() == (inside | kinds).tolist()
        else:
            assert row.tolist() == inside.tolist()
    assert (found.above == ((found.holds.sum(1) > 1) & (found.terms != ""))).all()
