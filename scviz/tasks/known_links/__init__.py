"""Download a prior network from regulators to targets into the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.datasets.known_links import COLLECTIONS, Source, chip_atlas
from scviz.errors import RequestError
from scviz.tasks.fields import Number, check_fields

TITLE = "Download a prior network"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which links: a collection, or what ChIP-Atlas has of a regulator."""

    collection: str = ""
    """A key of COLLECTIONS."""
    regulator: str = ""
    """Symbol of a human gene."""
    distance: Annotated[
        int,
        Number("Distance", 1, 10, unit="kb", help="Around the start of a gene in which the regulator binds."),
    ] = 10

    def __post_init__(self) -> None:
        check_fields(self)
        if bool(self.collection) == bool(self.regulator):
            raise RequestError(
                "No links were selected.", hint="Name a collection, or a regulator for ChIP-Atlas."
            )
        if self.collection and self.collection not in COLLECTIONS:
            raise RequestError(
                f"There is no collection {self.collection!r}.", hint=f"There are {', '.join(COLLECTIONS)}."
            )
        self.source()

    def source(self) -> Source:
        """Where they are."""
        return COLLECTIONS[self.collection] if self.collection else chip_atlas(self.regulator, self.distance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A table that is here now."""

    path: str
    n_links: int
    n_regulators: int
