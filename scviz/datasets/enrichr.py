"""Libraries of gene sets at Enrichr; nothing is fetched from here."""

from __future__ import annotations

from collections.abc import Mapping

LIBRARIES: Mapping[str, str] = {
    "Reactome_2022": "Reactome pathways, 2022",
    "GO_Biological_Process_2021": "Gene Ontology, biological process, 2021",
    "GO_Molecular_Function_2021": "Gene Ontology, molecular function, 2021",
    "MSigDB_Hallmark_2020": "MSigDB hallmark sets, 2020",
}
"""Names at Enrichr, and what they hold."""
MOST_MB = 100
"""Where a download is given up, far above the size of a library."""
LICENCE = (
    "As Enrichr (Kuleshov et al. 2016) offers it; the terms of Reactome, the Gene Ontology and MSigDB hold."
)


def library_address(enrichr: str, library: str) -> str:
    """Return where a library is, given the address of Enrichr.

    Examples
    --------
    >>> library_address("https://maayanlab.cloud/Enrichr/", "Reactome_2022")
    'https://maayanlab.cloud/Enrichr/geneSetLibrary?mode=text&libraryName=Reactome_2022'
    """
    return f"{enrichr.rstrip('/')}/geneSetLibrary?mode=text&libraryName={library}"


def by_hand(enrichr: str, library: str) -> str:
    """Say how to get a library without this program."""
    return (
        f"On a server without internet, save {library_address(enrichr, library)} through a browser as {library}.gmt "
        "and add that file."
    )
