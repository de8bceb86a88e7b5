"""Filters in an address."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scviz.datasets.cell_filter import Condition
from scviz.datasets.filter_text import filters_from_text, filters_to_text
from scviz.errors import RequestError

NUMBERS = st.builds(
    Condition,
    kind=st.sampled_from(["gene", "number"]),
    name=st.text(),
    low=st.floats(-1e9, 1e9) | st.just(-math.inf),
    high=st.floats(-1e9, 1e9) | st.just(math.inf),
)
CATEGORIES = st.builds(
    Condition, kind=st.just("category"), name=st.text(), left_out=st.lists(st.text(), max_size=3).map(tuple)
)


@given(st.lists(NUMBERS | CATEGORIES, max_size=5).map(tuple))
def test_filters_come_back_as_they_were(conditions: tuple[Condition, ...]) -> None:
    assert filters_from_text(filters_to_text(conditions)) == conditions


@pytest.mark.parametrize(
    "text",
    [
        *(
            "{",
            "1",
            "null",
            "[1]",
            '[["gene"]]',
            '[["gene",1,2,3]]',
            '[["gene","A","x",null]]',
            '[["obs","A",1,2]]',
        ),
        *(
            '[["number","A",NaN,null]]',
            '[["number","A",1,2,3]]',
            '[["category","A","B"]]',
            '[["category","A",[1]]]',
        ),
        f'[["number","A",{"9" * 400},null]]',
        *("[" * 100_000, '[["number","A",1e999,null]]', "[" + ",".join(['["gene","A",1,2]'] * 31) + "]"),
    ],
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(RequestError, match="cannot be read"):
        filters_from_text(text)
