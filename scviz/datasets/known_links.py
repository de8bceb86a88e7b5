"""Where known links from regulators to targets are published; nothing is fetched from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scviz.errors import RequestError

MOST_MB = 100
"""Where a download is given up, far above the size of a table."""
DISTANCES = (1, 5, 10)
"""Kilobases around the start of a gene in which ChIP-Atlas counts binding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that offers a table of links."""

    title: str
    host: str
    path: str
    file: str
    terms: str
    """Under which terms."""

    def address(self, mirror: str = "") -> str:
        """Return where the table is; a mirror stands for the host."""
        return f"{(mirror or self.host).rstrip('/')}{self.path}"

    def by_hand(self) -> str:
        """Say how to get the table without this program."""
        return f"On a server without internet, save {self.address()} through a browser as {self.file} in a data folder."


COLLECTIONS: Mapping[str, Source] = {
    "collectri": Source(
        title="CollecTRI: 43,000 curated links",
        host="https://zenodo.org",
        path="/records/8192729/files/CollecTRI_regulons.csv",
        file="CollecTRI.csv",
        terms="As record 8192729 at Zenodo offers it (Müller-Dott et al. 2023); its terms hold.",
    ),
    "dorothea": Source(
        title="DoRothEA: links of confidence A to C",
        host="https://omnipathdb.org",
        path="/interactions?datasets=dorothea&dorothea_levels=A,B,C&genesymbols=yes&fields=dorothea_level",
        file="DoRothEA_ABC.tsv",
        terms="As OmniPath offers it (Garcia-Alonso et al. 2019); some of its resources ask companies for a license.",
    ),
}


def chip_atlas(regulator: str, distance: int = 10) -> Source:
    """Return where ChIP-Atlas lists the genes near which a human regulator binds.

    Parameters
    ----------
    distance
        Kilobases around the start of a gene, one of DISTANCES.

    Raises
    ------
    RequestError
        If that is no name of a gene, or no such distance.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,30}", regulator) or distance not in DISTANCES:
        raise RequestError(
            f"ChIP-Atlas has no targets of {regulator!r} within {distance} kb.",
            hint=f"Give the symbol of a human regulator, and {', '.join(map(str, DISTANCES))} kb.",
        )
    return Source(
        title=f"ChIP-Atlas: where {regulator} binds",
        host="https://chip-atlas.dbcls.jp",
        path=f"/data/hg38/target/{regulator}.{distance}.tsv",
        file=f"{regulator}.{distance}.tsv",
        terms="As ChIP-Atlas offers it (Zou et al. 2024); its terms hold.",
    )
