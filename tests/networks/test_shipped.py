"""Transcription factors and links that come with scviz, and files that are told by their first lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scviz.networks.priors import holds_links, holds_regulators, read_prior, read_regulators
from scviz.networks.shipped import FOLDER, TITLES, shipped_links, shipped_regulators, title_of


def test_lists_and_tables_hold_what_their_readme_says() -> None:
    words = (FOLDER / "README.md").read_text("utf-8")
    assert {path.name for path in FOLDER.iterdir()} == {*TITLES, "README.md", "make.py"}
    for species in ("human", "mouse"):
        assert f"{len(read_regulators(shipped_regulators(species))):,} " in words
        assert f"{read_prior(shipped_links(species)).n_links:,} links" in words
        assert f"{read_prior(shipped_links(species)).n_links:,} links" in title_of(shipped_links(species))


@pytest.mark.parametrize(
    ("species", "known"), [("human", ("STAT1", "SPI1", "FOXP3", "TP53")), ("mouse", ("Stat1", "Foxp3"))]
)
def test_well_known_factors_are_there_and_other_genes_are_not(species: str, known: tuple[str, ...]) -> None:
    listed = set(read_regulators(shipped_regulators(species)))
    assert listed >= set(known)
    assert not listed & {"CD3E", "ACTB", "GAPDH", "Cd3e", "Actb", "HLA-A", "GTF2B"}


def test_a_species_that_nobody_knows_is_taken_for_human() -> None:
    assert shipped_regulators("unknown") == shipped_regulators("human")
    assert title_of("/data/regulators_human.txt") == "regulators_human.txt", (
        "a file of the same name elsewhere"
    )


@pytest.mark.parametrize(
    ("name", "text", "links", "regulators"),
    [
        ("links.tsv", "tf\ttarget\nSTAT1\tIRF1\n", True, False),
        ("links.csv", "source,target,weight\nSTAT1,IRF1,1\n", True, False),
        ("STAT1.10.tsv", "Target_genes\tAverage\nIRF1\t3\n", True, False),
        ("cells.tsv", "cell\ttype\nA\tT cell\n", False, False),
        ("genes.txt", "STAT1\nIRF1\n", False, True),
        ("notes.txt", "What was done on Monday\nand on Tuesday\n", False, False),
        ("nothing.txt", "", False, False),
    ],
)
def test_files_are_told_by_their_first_lines(
    tmp_path: Path, name: str, text: str, *, links: bool, regulators: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert holds_links(tmp_path / name) == links
    assert holds_regulators(tmp_path / name) == regulators


def test_only_the_beginning_of_a_large_or_damaged_file_is_read(tmp_path: Path) -> None:
    rows = "".join(f"TF{i % 50}\tGENE{i}\n" for i in range(50_000))
    whole = gzip.compress(f"tf\ttarget\n{rows}".encode())
    (tmp_path / "large.tsv.gz").write_bytes(whole[: len(whole) // 2])
    assert holds_links(tmp_path / "large.tsv.gz")
    (tmp_path / "damaged.tsv.gz").write_bytes(b"\x1f\x8bnot packed")
    assert not holds_links(tmp_path / "damaged.tsv.gz")
