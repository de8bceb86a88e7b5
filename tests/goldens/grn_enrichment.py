"""Cases of gene networks: enrichment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

CHECKS: dict[str, Callable[[Path], None]] = {}
