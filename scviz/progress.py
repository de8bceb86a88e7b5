"""One callable for progress and for stopping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a piece of work is."""

    stage: str
    """What is being done, in words of a biologist: "Reading cells"."""
    done: int = 0
    """Units finished in this stage."""
    total: int = 0
    """Units of this stage; 0 when unknown."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Numbers worth a live curve, such as {"loss": 0.41}."""
    note: str = ""
    """A sentence the user should read, such as "Memory ran out; batches are halved to 8 cells."."""


Report = Callable[[Progress], None]
"""Called after each batch; raises JobCancelledError when the work must stop."""


def silent(progress: Progress) -> None:
    """Report to nobody."""
