"""Settings that hold several amounts, such as `disk=20,runs=2`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

AMOUNTS = {
    "person_limits": ("disk", "uploads", "runs", "hours", "memory"),
    "server_limits": ("disk", "uploads", "runs", "hours", "memory"),
    "clean": ("runs", "uploads", "disk"),
}
"""What may have an amount in each; `scviz.workspace.limits` and `scviz.workspace.cleaning` read them."""
AMOUNT = re.compile(r"\s*(\w+)\s*=\s*(\d+(\.\d+)?)\s*")


def _read(setting: str, text: str) -> tuple[str, ...]:
    parts = [AMOUNT.fullmatch(part) for part in text.split(",")]
    found = {one[1]: one[2] for one in parts if one}
    known = set(found) <= set(AMOUNTS[setting])
    if len(found) < len(parts) or not known or not all(map(float, found.values())):
        raise ValueError(text)
    return tuple(f"{one}={amount}" for one, amount in found.items())


def amounts(texts: Iterable[str]) -> dict[str, float]:
    """Return the amounts of a setting by their names.

    Examples
    --------
    >>> amounts(("disk=20", "runs=2"))
    {'disk': 20.0, 'runs': 2.0}
    """
    pairs = [text.split("=") for text in texts]
    return {name: float(amount) for name, amount in pairs}


KINDS: dict[str, tuple[Callable[[str], tuple[str, ...]], str]] = {
    name: (
        partial(_read, name),
        f"amounts above 0 of {', '.join(of)}, such as {of[0]}=20, separated by commas",
    )
    for name, of in AMOUNTS.items()
}
"""How each of these settings is read, and what may stand there."""
