"""Published perturbation screens, and where their processed files are; nothing is fetched from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scviz.errors import RequestError

MEMBER = "perturb_processed.h5ad"
"""End of the name of the file within each archive."""
LICENCE = (
    "The processed files are those of the authors of GEARS at Harvard Dataverse; the terms there and those of "
    "the original study hold. Cite both when you use them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """A file at Harvard Dataverse."""

    name: str
    id: int
    """Number of the file there."""
    most_mb: int
    """Where a download is given up, far above its size."""

    def address(self, dataverse: str) -> str:
        """Return where it is, given the address of the place."""
        return f"{dataverse.rstrip('/')}/api/access/datafile/{self.id}"

    def by_hand(self, dataverse: str) -> str:
        """Say how to get it without this program."""
        return (
            f"On a server without internet, download {self.address(dataverse)} through a browser, unpack it if "
            "it is a .zip, copy the file into a data folder and open it from there."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicScreen:
    """A published screen."""

    file: PublicFile
    title: str
    perturbation: str
    """How genes were perturbed, and in which cells."""
    size: str
    """How much there is of it, in words."""
    study: str
    """Who published it, where, and the original data."""


PUBLIC_SCREENS: Mapping[str, PublicScreen] = {
    "norman": PublicScreen(
        file=PublicFile(name="norman.zip", id=6154020, most_mb=600),
        title="Norman 2019",
        perturbation="CRISPRa of single genes and pairs in K562 cells",
        size="91,205 cells, 5,045 genes, 283 conditions; 169 MB to download",
        study="Norman et al. 2019, Science, doi:10.1126/science.aax4438; GSE133344",
    ),
    "adamson": PublicScreen(
        file=PublicFile(name="adamson.zip", id=6154417, most_mb=2000),
        title="Adamson 2016",
        perturbation="CRISPRi of single genes in K562 cells",
        size="5,060 genes, about 87 conditions",
        study="Adamson et al. 2016, Cell, doi:10.1016/j.cell.2016.11.048; GSE90546",
    ),
    "dixit": PublicScreen(
        file=PublicFile(name="dixit.zip", id=6154416, most_mb=2000),
        title="Dixit 2016",
        perturbation="knock-out of single genes in K562 cells",
        size="44,735 cells, 5,012 genes, 20 conditions",
        study="Dixit et al. 2016, Cell, doi:10.1016/j.cell.2016.11.038; GSE90063",
    ),
    "replogle_k562_essential": PublicScreen(
        file=PublicFile(name="replogle_k562_essential.zip", id=7458695, most_mb=4000),
        title="Replogle 2022, K562",
        perturbation="CRISPRi of essential genes in K562 cells",
        size="5,000 genes, 1,087 perturbations",
        study="Replogle et al. 2022, Cell, doi:10.1016/j.cell.2022.05.013; Figshare+ 20022944",
    ),
    "replogle_rpe1_essential": PublicScreen(
        file=PublicFile(name="replogle_rpe1_essential.zip", id=7458694, most_mb=4000),
        title="Replogle 2022, RPE1",
        perturbation="CRISPRi of essential genes in RPE1 cells",
        size="5,000 genes, 1,543 perturbations",
        study="Replogle et al. 2022, Cell, doi:10.1016/j.cell.2022.05.013; Figshare+ 20022944",
    ),
}
GENE_ONTOLOGY = PublicFile(name="gene2go_all.pkl", id=6153417, most_mb=40)
"""Gene Ontology terms of human genes, 9.5 MB, as GEARS uses them."""


def public_screen(name: str) -> PublicScreen:
    """Return a published screen by name.

    Raises
    ------
    RequestError
        If there is none.
    """
    if name not in PUBLIC_SCREENS:
        raise RequestError(
            f"No published screen is known as {name!r}.", hint=f"There are: {', '.join(PUBLIC_SCREENS)}."
        )
    return PUBLIC_SCREENS[name]
