"""Regulators and links that come with scviz, so that a search can begin without a file: `assets/regulators`."""

from __future__ import annotations

from pathlib import Path

from scviz.settings import ROOT

FOLDER = ROOT / "assets" / "regulators"
TITLES = {
    "regulators_human.txt": "Transcription factors of human, by their names (HGNC)",
    "regulators_mouse.txt": "Transcription factors of mouse, by their human counterparts",
    "trrust_human.tsv.gz": "TRRUST: 8,427 links of human (CC BY-SA 4.0)",
    "trrust_mouse.tsv.gz": "TRRUST: 7,224 links of mouse, by their human counterparts (CC BY-SA 4.0)",
}
"""What pages call the files."""


def title_of(path: str | Path) -> str:
    """Say what a file is called on a page."""
    name = Path(path).name
    return TITLES.get(name, name) if Path(path).parent == FOLDER else name


def shipped_regulators(species: str) -> Path:
    """Return the list of transcription factors of a species; those of human where there is none."""
    return FOLDER / f"regulators_{_species(species)}.txt"


def shipped_links(species: str) -> Path:
    """Return the table of links of a species; that of human where there is none."""
    return FOLDER / f"trrust_{_species(species)}.tsv.gz"


def _species(species: str) -> str:
    return "mouse" if species == "mouse" else "human"
