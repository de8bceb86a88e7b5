"""Fail in a way that can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TITLE = "Failing"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    how: Literal["hint", "bug", "memory", "exit", "abort", "mute", "deaf", "family"]
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    text: str = ""
