"""Tables of text, however they were written, give the same cells, genes and counts; the rest is refused in words."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import vstack

from scviz.datasets.arriving import text_lines
from scviz.datasets.arriving.contract import Choices, Incoming
from scviz.datasets.arriving.table import read_table
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import silent

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(0.7, (30, 20)) * RNG.choice([1, 1, 1, 13, 200], (30, 20))
COUNTS[0, 0] = 1
CELLS = ["".join(RNG.choice(list("ACGT"), 16)) + "-1" for _ in range(30)]
GENES = ["CD3E", "ACTB", "RPL3", "MT-ND1", *(f"GENE{i}" for i in range(16))]
BY_CELL = pd.DataFrame(COUNTS, index=CELLS, columns=GENES)
BY_GENE = BY_CELL.T
TYPES = ["T cell", "B"] * 15
IDS = [f"ENSG{i:011d}" for i in range(20)]


def read(path: Path, text: str | bytes, *, limit: int = 10**8, **choices: object) -> Incoming:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, Choices(**choices), limit=limit, report=silent)


def values(incoming: Incoming) -> np.ndarray:
    return vstack(list(incoming.matrices["X"]())).toarray()


def _inserted(table: pd.DataFrame, **columns: object) -> pd.DataFrame:
    table = table.copy()
    for i, (name, column) in enumerate(columns.items()):
        table.insert(i, name, column)
    return table


WRITTEN = {
    "cells x genes": BY_CELL.to_csv(),
    "genes x cells": BY_GENE.to_csv(),
    "tabs": BY_GENE.to_csv(sep="\t"),
    "semicolons": BY_CELL.to_csv(sep=";"),
    "blanks, R": BY_GENE.to_csv(sep=" ").lstrip(),
    "tabs, R, quoted": BY_GENE.to_csv(sep="\t", quoting=2).removeprefix('""\t'),
    "everything quoted": BY_CELL.to_csv(quoting=1),
    "gzip": gzip.compress(BY_CELL.to_csv().encode()),
    "byte order mark": b"\xef\xbb\xbf" + BY_GENE.to_csv().encode(),
    "UTF-16": BY_CELL.to_csv().encode("utf-16"),
    "Windows": BY_CELL.to_csv(lineterminator="\r\n"),
    "old Mac": BY_CELL.to_csv(lineterminator="\r"),
    "decimals": (BY_GENE * 1.0).to_csv(),
    "exponents": BY_GENE.to_csv(float_format="%.3e").replace(",0", ",0.000e+00"),
    "blanks after commas": BY_CELL.to_csv().replace(",", ", "),
    "aligned": BY_GENE.to_string(),
    "comments": "# written by x\n# y, z\n" + BY_GENE.to_csv(),
    "header with #": "#" + BY_GENE.to_csv(sep="\t", index_label="gene"),
    "a comma at the end": BY_CELL.to_csv().replace("\n", ",\n"),
    "no end of the last line": BY_CELL.to_csv().rstrip(),
    "blank lines": BY_CELL.to_csv().replace("\n", "\n\n"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_the_same_counts_come_out_however_they_were_written(tmp_path: Path, how: str) -> None:
    found = read(tmp_path / "x.csv", WRITTEN[how])
    assert np.array_equal(values(found), COUNTS)
    assert (list(found.cells.index), list(found.genes.index)) == (CELLS, GENES)
    assert found.cells.empty
    assert found.genes.empty


def test_blocks_of_lines_of_any_size_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "BLOCK", 300)
    for text in (BY_CELL.to_csv(lineterminator="\r\n"), BY_GENE.to_csv()):
        assert np.array_equal(values(read(tmp_path / "x.csv", text)), COUNTS)


def test_the_guess_is_said_and_can_be_turned(tmp_path: Path) -> None:
    found = read(tmp_path / "x.csv", BY_GENE.to_csv())
    assert found.arrival.turned is True
    assert found.arrival.notes == (
        "Rows were taken for genes: 20 of 20 names of rows are those of genes, 0 of 30 of columns.",
    )
    other = read(tmp_path / "x.csv", BY_GENE.to_csv(), turned=False)
    assert other.arrival.turned is False
    assert np.array_equal(values(other), COUNTS.T)
    assert list(other.genes.index) == CELLS


def test_names_that_nobody_knows_leave_the_shape(tmp_path: Path) -> None:
    found = read(tmp_path / "x.csv", pd.DataFrame(COUNTS).to_csv())
    assert found.arrival.turned is True
    assert "by the shape, 30 rows x 20 columns" in found.arrival.notes[0]


def test_ids_beside_symbols_are_kept(tmp_path: Path) -> None:
    table = _inserted(BY_GENE, gene_id=IDS, description=[f"a, b {i}" for i in range(20)])
    found = read(tmp_path / "x.csv", table.to_csv(index_label="gene_name"))
    assert np.array_equal(values(found), COUNTS)
    assert found.genes["gene_ids"].tolist() == IDS
    assert found.genes["description"].tolist()[:2] == ["a, b 0", "a, b 1"]


def test_columns_about_cells_are_kept_at_either_end(tmp_path: Path) -> None:
    table = _inserted(BY_CELL, n_counts=COUNTS.sum(1), cell_type=TYPES)
    table["batch"] = TYPES
    found = read(tmp_path / "x.csv", table.to_csv())
    assert np.array_equal(values(found), COUNTS)
    assert found.cells["n_counts"].tolist() == COUNTS.sum(1).tolist()
    assert found.cells["cell_type"].tolist() == found.cells["batch"].tolist() == TYPES


def test_rows_about_cells_are_kept_at_the_top(tmp_path: Path) -> None:
    text = BY_GENE.to_csv(sep="\t").replace("\nCD3E", "\ncell_type\t" + "\t".join(TYPES) + "\nCD3E", 1)
    found = read(tmp_path / "x.tsv", text)
    assert np.array_equal(values(found), COUNTS)
    assert found.cells["cell_type"].tolist() == TYPES


def test_what_counts_of_reads_by_feature_say_of_genes_is_no_cell(tmp_path: Path) -> None:
    table = _inserted(BY_GENE, Chr="chr1", Start="1;5", End="2;6", Strand="+", Length=100)
    found = read(
        tmp_path / "x.txt",
        '# Program:featureCounts v2.0; Command:"a"\n' + table.to_csv(sep="\t", index_label="Geneid"),
    )
    assert np.array_equal(values(found), COUNTS)
    assert found.genes["Length"].tolist() == [100] * 20


def test_fields_without_a_value_are_zero_and_counted(tmp_path: Path) -> None:
    table = (BY_GENE * 1.0).mask(BY_GENE == 0)
    found = read(tmp_path / "x.csv", table.to_csv(na_rep="NA"))
    assert np.array_equal(values(found), COUNTS)
    assert (
        found.arrival.notes[-1]
        == f"{(COUNTS == 0).sum():,} fields without a value (empty, NA) were read as 0."
    )


REFUSED = {
    (BY_CELL * 1.5).to_csv(sep=";", decimal=","): "decimal comma, such as",
    (BY_CELL * 1.5).to_csv(sep="\t", decimal=","): "decimal comma, such as",
    BY_CELL.to_csv()[:-9]: "Line 31 of x.csv has",
    BY_CELL.to_csv().rstrip()[:-1] + "x\n": "Line 31 of x.csv holds '.*x' where a number is expected",
    "a,b,c\nx,y,z\nu,v,w\n": "is no table of counts",
    "gene,cell,count\nA,c1,1\nA,c2,2\n": "is no table of counts",
    "\n": "is empty",
    "hello there\nthis is no table at all\n": "do not split into equally many fields",
    "gene,c1,c2\n": "has a line of names and no rows",
}


@pytest.mark.parametrize("text", REFUSED, ids=list(REFUSED.values()))
def test_what_is_no_table_of_counts_is_refused_in_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableFileError, match=REFUSED[text]) as caught:
        read(tmp_path / "x.csv", text)
    assert caught.value.hint


def test_a_bomb_is_refused_and_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFileError, match="unpacks to more than"):
        read(tmp_path / "x.csv.gz", gzip.compress(b"gene,c1\n" + b"A,1\n" * 300_000), limit=10**6)
    with pytest.raises(UnreadableFileError, match="cut off or damaged"):
        read(tmp_path / "x.csv.gz", gzip.compress(BY_CELL.to_csv().encode())[:-40])
