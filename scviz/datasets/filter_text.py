"""Filters of cells as a text that an address can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, get_args

from scviz.datasets.cell_filter import Condition, Kind
from scviz.errors import RequestError
from scviz.workspace.plain_json import parse_plain

MOST = 30
"""Filters that a text may hold."""


def filters_to_text(conditions: Sequence[Condition]) -> str:
    """Write conditions; empty for none.

    Examples
    --------
    >>> filters_to_text([Condition(kind="number", name="n_genes", low=200.0)])
    '[["number","n_genes",200.0,null]]'
    >>> filters_to_text([Condition(kind="category", name="type", left_out=("B cell",))])
    '[["category","type",["B cell"]]]'
    """
    rows = [
        [one.kind, one.name, list(one.left_out)]
        if one.kind == "category"
        else [one.kind, one.name, _end(one.low), _end(one.high)]
        for one in conditions
    ]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False) if rows else ""


def filters_from_text(text: str) -> tuple[Condition, ...]:
    """Read what `filters_to_text` wrote.

    Raises
    ------
    RequestError
        If it did not write this.
    """
    if not text:
        return ()
    try:
        rows = parse_plain(text, list, name="The link")
        if len(rows) > MOST:
            raise ValueError("too many filters")
        return tuple(_condition(*row) for row in rows)
    except (ValueError, TypeError, OverflowError) as error:
        raise RequestError(
            "The link's filters cannot be read.", hint="The cells are shown without filters."
        ) from error


def _condition(kind: Kind, name: str, *rest: Any) -> Condition:
    if kind not in get_args(Kind) or not isinstance(name, str):
        raise ValueError("no condition")
    if kind == "category":
        (left_out,) = rest
        if not isinstance(left_out, list) or not all(isinstance(one, str) for one in left_out):
            raise ValueError("no categories")
        return Condition(kind=kind, name=name, left_out=tuple(left_out))
    low, high = rest
    return Condition(kind=kind, name=name, low=_number(low, -math.inf), high=_number(high, math.inf))


def _number(value: Any, otherwise: float) -> float:
    if value is None:
        return otherwise
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _end(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
