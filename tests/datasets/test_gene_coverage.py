"""How many genes of real files the published models know; skipped where the files are not at hand."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from scviz.datasets.gene_matching import match_list
from scviz.datasets.genes import GeneIdentifiers, identifiers, named
from scviz.datasets.published_genes import published_coverage
from scviz.datasets.tables import read_table
from scviz.foundation.vocab import GeneVocab

SCGPT, SCFOUNDATION = "scGPT whole-human", "scFoundation"


def genes_of(shared: Path, name: str) -> GeneIdentifiers:
    path = shared / "data" / name / f"{name}.h5ad"
    if not path.is_file():
        pytest.skip(f"{name} is not at hand")
    with h5py.File(path) as file:
        table, _ = read_table(file["var"])
    return identifiers(table)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("kang_ctrl_8684", {SCGPT: 0.98, SCFOUNDATION: 0.955}),
        ("kang_ifnb_2000", {SCGPT: 0.98, SCFOUNDATION: 0.955}),
        ("pbmc3k_labelled", {SCGPT: 0.95, SCFOUNDATION: 0.865}),
        ("pbmc_sorted_3500", {SCGPT: 0.975, SCFOUNDATION: 0.94}),
    ],
)
def test_published_models_know_the_genes_of_older_files(
    shared: Path, name: str, least: dict[str, float]
) -> None:
    found = {one.title: one for one in published_coverage(genes_of(shared, name))}
    shares = {title: found[title].n_found / found[title].n_genes for title in least}
    assert {title: share for title, share in shares.items() if share < least[title]} == {}


def test_every_lost_gene_is_named_and_no_place_is_given_twice(shared: Path) -> None:
    ids = genes_of(shared, "pbmc3k_labelled")
    for one in published_coverage(ids):
        assert one.n_found + len(one.lost) == one.n_genes == len(ids)
        assert len({rename.new for rename in one.renames}) == len(one.renames)
        assert {rename.old for rename in one.repeated} | {word.name for word in one.ambiguous} <= set(
            one.lost
        )


def test_coverage_of_a_whole_file_takes_a_moment(shared: Path) -> None:
    ids = genes_of(shared, "pbmc3k_labelled")
    published_coverage(GeneIdentifiers(ensembl=None, symbol=("CD3E",)))  # reads the tables
    start = time.process_time()
    published_coverage(ids)
    assert time.process_time() - start < 2.0  # 0.3 s when the machine is free


def test_a_name_of_the_list_itself_is_that_entry_however_it_could_be_taken_apart() -> None:
    """The list of scFoundation has mitochondrial genes twice."""
    listed = ("MT-CO1", "MT-CO1__chrM", "CD3E")
    ids = named(listed)
    assert match_list(ids, listed).places.tolist() == [0, 1, 2]
    vocab = GeneVocab(genes=listed, ids=np.arange(3), special={}, kind="symbol")
    assert vocab.match(ids).tolist() == [0, 1, 2]
