"""One Matrix Market file and the lists beside it: the true counts, or a sentence that says what is wrong."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix

from scviz.datasets.arriving import by_cell, rows, unpacking
from scviz.datasets.arriving.contract import Choices
from scviz.datasets.arriving.market import read_header, read_market
from scviz.errors import UnreadableFileError, UnsafeFileError
from scviz.progress import Progress, silent
from tests.datasets.market_files import (
    CELLS,
    GENES,
    LIMIT,
    barcodes,
    entries,
    equal,
    features,
    ids,
    made,
    read,
    table,
    write,
    write_10x,
    write_lines,
    write_mtx,
)

COUNTS = made()


def _named(path: Path) -> Path:
    write_lines(path.parent / "barcodes.tsv", barcodes())
    write_lines(path.parent / "features.tsv", features())
    return path


@pytest.mark.parametrize("name", ["matrix.mtx", "matrix.mtx.gz"])
@pytest.mark.parametrize("by", ["columns", "rows"])
def test_counts_are_read_in_whichever_order_they_stand(name: str, by: str, tmp_path: Path) -> None:
    incoming = read(_named(write_mtx(tmp_path / name, COUNTS.T, entries(COUNTS.T, by=by))))
    assert equal(incoming, COUNTS)
    assert incoming.cells.index.tolist() == barcodes()
    assert incoming.genes.index.tolist() == ids()
    assert incoming.arrival.notes == ()
    assert incoming.arrival.turned is None


def test_rows_that_are_cells_are_told_by_the_lengths_of_the_lists(tmp_path: Path) -> None:
    incoming = read(_named(write_mtx(tmp_path / "matrix.mtx", COUNTS)))
    assert equal(incoming, COUNTS)
    assert incoming.arrival.turned is None


@pytest.mark.parametrize("turned", [True, False, None])
def test_a_square_matrix_is_guessed_and_can_be_turned(tmp_path: Path, *, turned: bool | None) -> None:
    counts = made(n_genes=CELLS)
    path = write_mtx(tmp_path / "matrix.mtx", counts.T)
    write_lines(tmp_path / "barcodes.tsv", barcodes())
    write_lines(tmp_path / "genes.tsv", features(CELLS))
    incoming = read(path, Choices(turned=turned))
    assert equal(incoming, counts.T if turned is False else counts)
    assert incoming.arrival.turned is (turned is not False)
    assert "is square" in incoming.arrival.notes[0]


@pytest.mark.parametrize(
    ("kind", "lines", "dtype"),
    [
        ("integer", None, np.int32),
        ("real", None, np.float32),
        ("double", None, np.float32),
        ("real", [f"{line}.0e0" for line in entries(COUNTS.T)], np.float32),
        ("INTEGER", None, np.int32),
    ],
)
def test_every_type_of_value_is_read(kind: str, lines: list[str] | None, dtype: type, tmp_path: Path) -> None:
    incoming = read(_named(write_mtx(tmp_path / "matrix.mtx", COUNTS.T, lines, kind=kind)))
    assert equal(incoming, COUNTS)
    assert next(incoming.matrices["X"]()).dtype == dtype


def test_decimals_are_kept_exactly(tmp_path: Path) -> None:
    values = COUNTS * 0.1
    incoming = read(
        _named(write_mtx(tmp_path / "m.mtx", values.T, entries(values.T, decimals=True), kind="real"))
    )
    assert equal(incoming, values)


def test_decimals_in_a_file_that_promises_whole_numbers_are_kept_and_said(tmp_path: Path) -> None:
    values = COUNTS * 0.5
    incoming = read(_named(write_mtx(tmp_path / "m.mtx", values.T, entries(values.T, decimals=True))))
    assert equal(incoming, values)
    assert "holds decimals" in incoming.arrival.notes[0]


def test_a_pattern_says_nothing_of_counts_and_is_refused(tmp_path: Path) -> None:
    lines = [line.rsplit(" ", 1)[0] for line in entries(COUNTS.T)]
    path = write_mtx(tmp_path / "m.mtx", COUNTS.T, lines, kind="pattern")
    with pytest.raises(UnreadableFileError, match="which genes were seen, not how often"):
        read(_named(path))


@pytest.mark.parametrize("genes_first", [True, False])
def test_a_dense_matrix_is_read(tmp_path: Path, *, genes_first: bool) -> None:
    matrix = COUNTS.T if genes_first else COUNTS
    scipy.io.mmwrite(tmp_path / "matrix.mtx", matrix)
    assert b" array " in (tmp_path / "matrix.mtx").read_bytes()
    assert equal(read(_named(tmp_path / "matrix.mtx")), COUNTS)


@pytest.mark.parametrize(
    "head", ["", "%\n", "% made by hand\n%metadata_json: {}\n\n", "%" + "x" * 5000 + "\n"]
)
def test_comments_before_the_sizes_are_left_out(head: str, tmp_path: Path) -> None:
    assert equal(read(_named(write_mtx(tmp_path / "m.mtx", COUNTS.T, head=head))), COUNTS)


def test_comments_and_empty_lines_between_entries_are_left_out(tmp_path: Path) -> None:
    path = _named(write_mtx(tmp_path / "m.mtx", COUNTS.T))
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:5], "% a comment", "", "  ", *lines[5:], "", ""]))
    assert equal(read(path), COUNTS)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("mark", ["\t", "  ", " "])
def test_windows_lines_tabs_and_wide_gaps_are_read(end: str, mark: str, tmp_path: Path) -> None:
    path = _named(write_mtx(tmp_path / "m.mtx", COUNTS.T))
    head, *lines = path.read_text().split("\n")
    path.write_bytes(end.join([head, *(line.replace(" ", mark) for line in lines)]).encode())
    assert equal(read(path), COUNTS)


def test_a_last_line_without_an_end_is_read(tmp_path: Path) -> None:
    path = _named(write_mtx(tmp_path / "m.mtx", COUNTS.T))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert equal(read(path), COUNTS)


@pytest.mark.parametrize("by", ["columns", "rows"])
def test_values_that_are_there_twice_are_added_up_and_said(by: str, tmp_path: Path) -> None:
    lines = entries(COUNTS.T, by=by)
    incoming = read(_named(write_mtx(tmp_path / "m.mtx", COUNTS.T, [*lines, *lines[:3]])))
    expected = COUNTS.copy()
    for line in lines[:3]:
        gene, cell, value = map(int, line.split())
        expected[cell - 1, gene - 1] += value
    assert equal(incoming, expected)
    assert incoming.arrival.notes == (
        "3 values stood for a cell and gene that had one already: they were added up.",
    )


def test_genes_in_falling_order_as_cell_ranger_1_wrote_them_are_no_fault(tmp_path: Path) -> None:
    lines = sorted(entries(COUNTS.T), key=lambda line: (int(line.split()[1]), -int(line.split()[0])))
    incoming = read(_named(write_mtx(tmp_path / "m.mtx", COUNTS.T, lines)))
    assert equal(incoming, COUNTS)
    assert incoming.arrival.notes == ()


def test_cells_and_genes_without_counts_stay(tmp_path: Path) -> None:
    counts = COUNTS.copy()
    counts[[0, 3, -1]] = 0
    counts[:, [0, 5, -1]] = 0
    assert equal(read(_named(write_mtx(tmp_path / "m.mtx", counts.T))), counts)
    nothing = np.zeros_like(counts)
    assert equal(read(_named(write_mtx(tmp_path / "m.mtx", nothing.T))), nothing)


@given(seed=st.integers(0, 10**6), block=st.integers(1, 40), piece=st.integers(20, 200))
@settings(max_examples=60, deadline=None)
def test_pieces_and_blocks_of_any_size_give_the_same_counts(seed: int, block: int, piece: int) -> None:
    rng = np.random.default_rng(seed)
    counts = made(seed, n_cells=1 + seed % 9, n_genes=1 + seed % 7)
    lines = entries(counts.T)
    lines += lines[: seed % 4]
    rng.shuffle(lines)
    expected = np.zeros_like(counts)
    for gene, cell, value in (map(int, line.split()) for line in lines):
        expected[cell - 1, gene - 1] += value
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", block)
        patch.setattr(by_cell, "BLOCK", block)
        patch.setattr(unpacking.pieces, "__kwdefaults__", {"size": piece})
        path = write_mtx(Path(folder) / "m.mtx.gz", counts.T, lines)
        got = read_market(path, read_header(path), genes_in_rows=True, limit=LIMIT, report=silent)
        values = [part.toarray() for part in got.rows.blocks()]
        assert all(len(part) == 1 or np.count_nonzero(part) <= block for part in values)
        assert np.array_equal(np.vstack(values), expected)


def test_temporary_files_go_when_nothing_needs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "temporary"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    incoming = read(_named(write_mtx(tmp_path / "m.mtx", COUNTS.T)))
    assert len(list(home.iterdir())) == 1
    del incoming
    assert list(home.iterdir()) == []


def test_progress_is_told_in_cells(tmp_path: Path) -> None:
    path = write_mtx(tmp_path / "m.mtx", COUNTS.T)
    told: list[Progress] = []
    read_market(path, read_header(path), genes_in_rows=True, limit=LIMIT, report=told.append)
    assert told[-1] == Progress(stage="Reading cells", done=CELLS, total=CELLS)


FAULTS = {
    "empty": ("", "is empty"),
    "page": ("<!DOCTYPE html><html>Log in</html>", "is a web page"),
    "text": ("gene,cell\n1,2\n", "does not begin with %%MatrixMarket"),
    "only the header": ("%%MatrixMarket matrix coordinate integer general\n", "does not say how many"),
    "no sizes": ("%%MatrixMarket matrix coordinate integer general\n%\nx y z\n", "does not say how many"),
    "two sizes": ("%%MatrixMarket matrix coordinate integer general\n11 7\n1 1 1\n", "does not say how many"),
    "negative": (
        "%%MatrixMarket matrix coordinate integer general\n-11 7 1\n1 1 1\n",
        "does not say how many",
    ),
    "complex": ("%%MatrixMarket matrix coordinate complex general\n11 7 1\n1 1 1 0\n", "holds no counts"),
    "vector": ("%%MatrixMarket vector coordinate real general\n11 7 1\n1 1 1\n", "holds no counts"),
    "symmetric": ("%%MatrixMarket matrix coordinate real symmetric\n11 11 1\n1 1 1\n", "symmetric"),
    "row 0": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 2\n1 1 1\n0 1 1\n",
        "Entry 2 .* names row 0",
    ),
    "column 0": ("%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 0 1\n", "names column 0"),
    "row 12": ("%%MatrixMarket matrix coordinate integer general\n11 7 1\n12 1 1\n", "names row 12 of 11"),
    "column 8": ("%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 8 1\n", "names column 8 of 7"),
    "words": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 2\n1 1 1\nNA NA NA\n",
        "Entry 2 .* no row, column",
    ),
    "no number": ("%%MatrixMarket matrix coordinate real general\n11 7 1\n1 1 NA\n", "is no number"),
    "two columns": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 1\n",
        "no row, column and value",
    ),
    "five columns": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 1 1 0 0\n",
        "no row, column",
    ),
    "fewer": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 3\n1 1 1\n2 1 1\n",
        "3 values, but 2 are there",
    ),
    "more": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 1 1\n2 1 1\n",
        "1 value, but more follow",
    ),
    "none": ("%%MatrixMarket matrix coordinate integer general\n11 7 1\n", "1 value, but 0 are there"),
    "dense words": ("%%MatrixMarket matrix array real general\n11 7\nx\n", "no number"),
    "too large": (
        "%%MatrixMarket matrix coordinate integer general\n11 7 1\n1 1 99999999999999999999\n",
        "too large for a count",
    ),
}


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_matrix_is_refused_in_words(fault: str, end: str, tmp_path: Path) -> None:
    content, words = FAULTS[fault]
    path = _named(write(tmp_path / f"matrix.mtx{end}", content))
    with pytest.raises(UnreadableFileError, match=words) as caught:
        read(path)
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_matrix_whose_end_is_missing_is_said_to_be_cut_off(share: float, tmp_path: Path) -> None:
    counts = made(n_cells=200, n_genes=100)
    path = write_10x(tmp_path / "sample", counts) / "matrix.mtx.gz"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableFileError, match=r"matrix\.mtx\.gz is cut off"):
        read(tmp_path / "sample")


def test_a_text_whose_end_is_missing_is_said_to_be_cut_off(tmp_path: Path) -> None:
    path = _named(write_mtx(tmp_path / "matrix.mtx", COUNTS.T))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableFileError):
        read(path)


def test_a_damaged_gzip_is_refused_in_words(tmp_path: Path) -> None:
    path = write_10x(tmp_path / "sample", made(n_cells=300, n_genes=100)) / "matrix.mtx.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"damaged|no row, column and value|cut off"):
        read(tmp_path / "sample")


def test_an_empty_gzip_is_refused_in_words(tmp_path: Path) -> None:
    path = write_10x(tmp_path / "sample", COUNTS) / "matrix.mtx.gz"
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(UnreadableFileError, match="is empty"):
        read(tmp_path / "sample")


@pytest.mark.parametrize("name", ["matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"])
def test_a_file_that_unpacks_to_too_much_is_refused(name: str, tmp_path: Path) -> None:
    folder = write_10x(tmp_path / "sample", COUNTS)
    start = b"%%MatrixMarket matrix coordinate integer general\n11 7 99999999\n" if "mtx" in name else b""
    (folder / name).write_bytes(gzip.compress(start + b"1 1 1\n" * 500_000))
    with pytest.raises(UnsafeFileError, match=f"{name} unpacks to more than"):
        read(folder, limit=1_000_000)


LISTS = {
    "one gene less": ("features.tsv", features(GENES - 1), "names and should have 11: 1 are missing"),
    "two genes more": ("features.tsv", features(GENES + 2), "should have 11: 2 are too many"),
    "one cell less": ("barcodes.tsv", barcodes(CELLS - 1), "should have 7: 1 are missing"),
    "no gene": ("features.tsv", [], "is empty"),
    "page": ("barcodes.tsv", ["<html>"], "web page"),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_that_do_not_fit_are_refused_with_what_is_missing(case: str, tmp_path: Path) -> None:
    name, lines, words = LISTS[case]
    path = _named(write_mtx(tmp_path / "matrix.mtx", COUNTS.T))
    write_lines(tmp_path / name, lines)
    with pytest.raises(UnreadableFileError, match=words) as caught:
        read(path)
    assert name in str(caught.value)


@pytest.mark.parametrize(("name", "words"), [("barcodes.tsv", "cells"), ("features.tsv", "genes")])
def test_a_list_that_is_not_there_is_named(name: str, words: str, tmp_path: Path) -> None:
    path = _named(write_mtx(tmp_path / "matrix.mtx", COUNTS.T))
    (tmp_path / name).unlink()
    with pytest.raises(UnreadableFileError, match=f"names of the {words}") as caught:
        read(path)
    assert "all three files" in caught.value.hint


def test_a_matrix_alone_says_that_both_lists_are_missing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"cells \(barcodes.tsv\) and of the genes"):
        read(write_mtx(tmp_path / "matrix.mtx", COUNTS.T))


def test_scipy_gives_the_same_counts(tmp_path: Path) -> None:
    path = _named(tmp_path / "matrix.mtx")
    scipy.io.mmwrite(path, coo_matrix(COUNTS.T))
    assert np.array_equal(table(read(path)).to_numpy().T, scipy.io.mmread(path).toarray())
