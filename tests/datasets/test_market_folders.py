"""Folders of every writer of Matrix Market: which files belong together, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scviz.datasets.arriving.contract import Choices
from scviz.errors import UnreadableFileError
from tests.datasets.market_files import (
    CELLS,
    GENES,
    barcodes,
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

COUNTS, OTHER, THIRD = made(1), made(2), made(3)


def _genes(n: int = GENES, first: int = 0) -> list[str]:
    return [f"GENE{i + 1}" for i in range(first, first + n)]


def test_cell_ranger_3(tmp_path: Path) -> None:
    incoming = read(write_10x(tmp_path, COUNTS))
    assert equal(incoming, COUNTS)
    assert incoming.genes["gene_symbols"].tolist() == _genes()
    assert set(incoming.genes["feature_types"]) == {"Gene Expression"}
    assert list(incoming.cells.columns) == []
    assert incoming.arrival.parts == ()


def test_cell_ranger_2(tmp_path: Path) -> None:
    folder = tmp_path / "filtered_gene_bc_matrices" / "hg19"
    write_mtx(folder / "matrix.mtx", COUNTS.T)
    write_lines(folder / "barcodes.tsv", barcodes())
    write_lines(folder / "genes.tsv", [line.rsplit("\t", 1)[0] for line in features()])
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert list(incoming.genes.columns) == ["gene_symbols"]


def test_a_folder_for_each_genome_is_a_choice_and_the_largest_is_taken(tmp_path: Path) -> None:
    for genome, counts in {"hg19": COUNTS // 9, "mm10": OTHER}.items():
        write_10x(tmp_path / "raw_gene_bc_matrices" / genome, counts, gz=False)
    assert equal(read(tmp_path), OTHER)
    assert read(tmp_path).arrival.parts == ("raw mm10", "raw hg19")
    assert equal(read(tmp_path, Choices(part="raw hg19")), COUNTS // 9)


def test_the_outs_of_cell_ranger_give_the_filtered_counts_and_the_raw_ones_on_demand(tmp_path: Path) -> None:
    write_10x(tmp_path / "outs" / "raw_feature_bc_matrix", OTHER)
    write_10x(tmp_path / "outs" / "filtered_feature_bc_matrix", COUNTS)
    write(tmp_path / "outs" / "metrics_summary.csv", "Cells,Reads\n7,99\n")
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.arrival.parts == ("filtered", "raw")
    assert incoming.arrival.notes == ("Of filtered, raw, filtered was taken.",)
    assert equal(read(tmp_path, Choices(part="raw")), OTHER)


@pytest.mark.parametrize("mark", ["_", ".", "-"])
@pytest.mark.parametrize("matrix", ["matrix", "counts", "count_matrix"])
def test_the_prefixed_triples_of_geo_become_samples(mark: str, matrix: str, tmp_path: Path) -> None:
    for name, counts in {"GSM1_ctrl": COUNTS, "GSM2_stim": OTHER}.items():
        write_10x(tmp_path, counts, prefix=f"{name}{mark}")
        (tmp_path / f"{name}{mark}matrix.mtx.gz").rename(tmp_path / f"{name}{mark}{matrix}.mtx.gz")
    incoming = read(tmp_path)
    assert equal(incoming, np.vstack([COUNTS, OTHER]))
    assert incoming.cells["sample"].tolist() == ["GSM1_ctrl"] * CELLS + ["GSM2_stim"] * CELLS
    assert incoming.cells.index.tolist() == [
        f"{name}_{code}" for name in ("GSM1_ctrl", "GSM2_stim") for code in barcodes()
    ]
    assert incoming.genes.index.tolist() == ids()
    assert incoming.arrival.notes == (
        "2 samples were put together: GSM1_ctrl, GSM2_stim.",
        "Samples share names of cells, so the name of the sample was put in front of each.",
    )


def test_one_shared_list_of_genes_serves_all_samples(tmp_path: Path) -> None:
    for name, counts in {"GSM1_a": COUNTS, "GSM2_b": OTHER, "GSM3_ab": THIRD}.items():
        write_10x(tmp_path, counts, prefix=f"{name}_")
        (tmp_path / f"{name}_features.tsv.gz").unlink()
    write_lines(tmp_path / "GSE9_features.tsv.gz", features())
    incoming = read(tmp_path)
    assert equal(incoming, np.vstack([COUNTS, OTHER, THIRD]))
    assert incoming.cells["sample"].cat.categories.tolist() == ["GSM1_a", "GSM2_b", "GSM3_ab"]


def test_a_shared_list_of_genes_may_lie_above_the_folders_of_samples(tmp_path: Path) -> None:
    for name, counts in {"a": COUNTS, "b": OTHER}.items():
        (write_10x(tmp_path / name, counts) / "features.tsv.gz").unlink()
    write_lines(tmp_path / "features.tsv.gz", features())
    assert equal(read(tmp_path), np.vstack([COUNTS, OTHER]))


@pytest.mark.parametrize("missing", ["barcodes.tsv.gz", "features.tsv.gz"])
def test_the_list_of_another_sample_is_never_taken(missing: str, tmp_path: Path) -> None:
    for name in ("GSM1_a", "GSM2_b"):
        write_10x(tmp_path, COUNTS, prefix=f"{name}_")
    (tmp_path / f"GSM2_b_{missing}").unlink()
    with pytest.raises(UnreadableFileError, match=r"lies beside GSM2_b_matrix\.mtx\.gz"):
        read(tmp_path)


def test_samples_with_other_genes_are_joined_by_all_of_them(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS, prefix="a_")
    write_10x(tmp_path, OTHER, prefix="b_")
    write_lines(tmp_path / "b_features.tsv.gz", features(first=4)[::-1])
    incoming = read(tmp_path)
    got = table(incoming)
    assert got.columns.tolist() == [*ids(), *ids(4, first=GENES)[::-1]]
    assert np.array_equal(got.iloc[:CELLS][ids()], COUNTS)
    assert np.array_equal(got.iloc[CELLS:][ids(first=4)[::-1]], OTHER)
    assert got.iloc[:CELLS][ids(4, first=GENES)].to_numpy().sum() == 0
    assert got.iloc[CELLS:][ids(4)].to_numpy().sum() == 0
    assert incoming.genes["gene_symbols"].tolist() == [*_genes(), *_genes(4, first=GENES)[::-1]]
    assert "(11 to 11 each, 7 in all of them): all 15 were kept" in incoming.arrival.notes[1]


def test_genes_of_one_name_stay_apart_when_samples_are_joined(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS, prefix="a_")
    write_10x(tmp_path, OTHER, prefix="b_")
    twice = ["TBCE", *_genes(GENES - 2), "TBCE"]
    write_lines(tmp_path / "a_features.tsv.gz", twice)
    write_lines(tmp_path / "b_features.tsv.gz", [*twice[1:], twice[0]])
    incoming = read(tmp_path)
    assert incoming.genes.index.tolist() == twice
    expected = np.hstack([OTHER[:, GENES - 2 : GENES - 1], OTHER[:, : GENES - 2], OTHER[:, -1:]])
    assert equal(incoming, np.vstack([COUNTS, expected]))


def test_cells_of_other_names_keep_them(tmp_path: Path) -> None:
    write_10x(tmp_path / "a", COUNTS)
    write_10x(tmp_path / "b", OTHER)
    write_lines(tmp_path / "b" / "barcodes.tsv.gz", [f"b_{code}" for code in barcodes()])
    assert read(tmp_path).cells.index.tolist() == [*barcodes(), *(f"b_{code}" for code in barcodes())]


def test_samples_are_named_by_what_differs_in_their_folders(tmp_path: Path) -> None:
    for name, counts in {"donor1": COUNTS, "donor2": OTHER}.items():
        write_10x(tmp_path / "run" / name / "outs" / "filtered_feature_bc_matrix", counts)
        write_10x(tmp_path / "run" / name / "outs" / "raw_feature_bc_matrix", THIRD)
    incoming = read(tmp_path)
    assert incoming.cells["sample"].cat.categories.tolist() == ["donor1", "donor2"]
    assert incoming.arrival.parts == ("filtered", "raw")
    assert equal(read(tmp_path, Choices(part="raw")), np.vstack([THIRD, THIRD]))


def test_several_matrices_of_the_same_cells_are_a_choice_and_no_samples(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    write_mtx(tmp_path / "UniqueAndMult-EM.mtx", OTHER.T)
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.arrival.parts == ("matrix", "UniqueAndMult-EM")
    assert equal(read(tmp_path, Choices(part="UniqueAndMult-EM")), OTHER)


@pytest.mark.parametrize("name", ["count_matrix.mtx", "DGE.mtx"])
def test_parse(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "DGE_filtered"
    write_mtx(folder / name, COUNTS)
    write_lines(
        folder / "all_genes.csv",
        ["gene_id,gene_name,genome", *(f"{i},{g},hg38" for i, g in zip(ids(), _genes(), strict=True))],
    )
    wells = [f"{i:02d}_01_01" for i in range(CELLS)]
    write_lines(
        folder / "cell_metadata.csv",
        [
            "bc_wells,sample,species,gene_count",
            *(f"{well},s{i % 2},hg38,{i}" for i, well in enumerate(wells)),
        ],
    )
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.cells.index.tolist() == wells
    assert incoming.cells["gene_count"].tolist() == list(range(CELLS))
    assert incoming.cells["sample"].tolist() == [f"s{i % 2}" for i in range(CELLS)]
    assert incoming.genes[["gene_symbols", "genome"]].to_numpy().tolist() == [[g, "hg38"] for g in _genes()]
    assert "Parse" in incoming.arrival.format


def test_all_samples_of_parse_are_not_counted_twice(tmp_path: Path) -> None:
    write_10x(tmp_path / "all-sample" / "DGE_filtered", COUNTS)
    write_10x(tmp_path / "sample1" / "DGE_filtered", COUNTS[:3])
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert "sample" not in incoming.cells.columns


def test_starsolo_with_velocity_as_layers(tmp_path: Path) -> None:
    for version, scale in {"raw": 2, "filtered": 1}.items():
        write_10x(tmp_path / "Solo.out" / "Gene" / version, COUNTS * scale, gz=False)
        write_10x(tmp_path / "Solo.out" / "GeneFull" / version, OTHER * scale, gz=False)
        folder = write_10x(tmp_path / "Solo.out" / "Velocyto" / version, COUNTS, gz=False)
        (folder / "matrix.mtx").unlink()
        for part, counts in {"spliced": COUNTS, "unspliced": OTHER, "ambiguous": THIRD}.items():
            write_mtx(folder / f"{part}.mtx", counts.T * scale)
    incoming = read(tmp_path)
    assert sorted(incoming.matrices) == ["X", "layers/ambiguous", "layers/spliced", "layers/unspliced"]
    assert equal(incoming, COUNTS)
    assert equal(incoming, OTHER, "layers/unspliced")
    assert equal(incoming, THIRD, "layers/ambiguous")
    assert incoming.arrival.parts == ("Gene filtered", "Gene raw", "GeneFull filtered", "GeneFull raw")
    assert equal(read(tmp_path, Choices(part="GeneFull raw")), OTHER * 2)


def test_velocity_alone_is_summed_and_said(tmp_path: Path) -> None:
    folder = write_10x(tmp_path / "Velocyto" / "filtered", COUNTS, gz=False)
    (folder / "matrix.mtx").unlink()
    for part, counts in {"spliced": COUNTS, "unspliced": OTHER, "ambiguous": THIRD}.items():
        write_mtx(folder / f"{part}.mtx", counts.T)
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS + OTHER + THIRD)
    assert equal(incoming, COUNTS, "layers/spliced")
    assert incoming.arrival.notes[-1].startswith("X is the sum of")


def test_kallisto_bustools(tmp_path: Path) -> None:
    write_mtx(tmp_path / "cells_x_genes.mtx", COUNTS, kind="real")
    write_lines(tmp_path / "cells_x_genes.barcodes.txt", [code[:-2] for code in barcodes()])
    write_lines(tmp_path / "cells_x_genes.genes.txt", [f"{name}.4" for name in ids()])
    write_lines(tmp_path / "cells_x_genes.genes.names.txt", _genes())
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert incoming.genes.index.tolist() == [f"{name}.4" for name in ids()]
    assert incoming.genes["gene_symbols"].tolist() == _genes()


def test_kallisto_bustools_puts_cells_in_rows_where_a_square_cannot_tell(tmp_path: Path) -> None:
    counts = made(n_genes=CELLS)
    write_mtx(tmp_path / "cells_x_genes.mtx", counts)
    write_lines(tmp_path / "cells_x_genes.barcodes.txt", barcodes())
    write_lines(tmp_path / "cells_x_genes.genes.txt", ids(CELLS))
    assert equal(read(tmp_path), counts)
    assert read(tmp_path).arrival.turned is False


def test_kallisto_bustools_of_nuclei(tmp_path: Path) -> None:
    parts = {"nascent": COUNTS, "mature": OTHER, "ambiguous": THIRD, "cell": OTHER + THIRD}
    parts["total"] = COUNTS + OTHER + THIRD
    for part, counts in parts.items():
        write_mtx(tmp_path / "counts_unfiltered" / f"cells_x_genes.{part}.mtx", counts)
    write_lines(tmp_path / "counts_unfiltered" / "cells_x_genes.barcodes.txt", barcodes())
    write_lines(tmp_path / "counts_unfiltered" / "cells_x_genes.genes.txt", ids())
    incoming = read(tmp_path)
    assert equal(incoming, parts["total"])
    assert equal(incoming, COUNTS, "layers/unspliced")
    assert equal(incoming, OTHER, "layers/spliced")
    (tmp_path / "counts_unfiltered" / "cells_x_genes.total.mtx").unlink()
    assert equal(read(tmp_path), parts["total"])


def test_spliced_and_unspliced_counts_of_other_cells_are_brought_together(tmp_path: Path) -> None:
    order = [5, 0, 3, 2]
    write_mtx(tmp_path / "spliced.mtx", COUNTS[:5])
    write_lines(tmp_path / "spliced.barcodes.txt", barcodes()[:5])
    write_mtx(tmp_path / "unspliced.mtx", OTHER[order])
    write_lines(tmp_path / "unspliced.barcodes.txt", [barcodes()[i] for i in order])
    for part in ("spliced", "unspliced"):
        write_lines(tmp_path / f"{part}.genes.txt", ids())
    incoming = read(tmp_path)
    spliced, unspliced = np.zeros((2, 6, GENES), dtype=int)
    spliced[:5], unspliced[order] = COUNTS[:5], OTHER[order]
    assert incoming.cells.index.tolist() == barcodes()[:6]
    assert equal(incoming, spliced, "layers/spliced")
    assert equal(incoming, unspliced, "layers/unspliced")
    assert equal(incoming, spliced + unspliced)
    assert {"1 cells are not in spliced: their values are 0 there."} <= set(incoming.arrival.notes)


@pytest.mark.parametrize("names", ["one", "three"])
def test_alevin_fry_with_three_columns_for_each_gene(names: str, tmp_path: Path) -> None:
    folder = tmp_path / "af_quant" / "alevin"
    write_mtx(folder / "quants_mat.mtx", np.hstack([COUNTS, OTHER, THIRD]), kind="real")
    write_lines(folder / "quants_mat_rows.txt", [code[:-2] for code in barcodes()])
    genes = ids() if names == "one" else [f"{name}{end}" for end in ("", "-U", "-A") for name in ids()]
    write_lines(folder / "quants_mat_cols.txt", genes)
    incoming = read(tmp_path)
    assert incoming.genes.index.tolist() == ids()
    assert equal(incoming, COUNTS + OTHER + THIRD)
    for part, counts in {"spliced": COUNTS, "unspliced": OTHER, "ambiguous": THIRD}.items():
        assert equal(incoming, counts, f"layers/{part}")
    assert "X is their sum" in incoming.arrival.notes[0]


def test_alevin_with_one_column_for_each_gene(tmp_path: Path) -> None:
    write_mtx(tmp_path / "quants_mat.mtx.gz", COUNTS, kind="real")
    write_lines(tmp_path / "quants_mat_rows.txt", barcodes())
    write_lines(tmp_path / "quants_mat_cols.txt", ids())
    incoming = read(tmp_path)
    assert equal(incoming, COUNTS)
    assert list(incoming.matrices) == ["X"]


def test_features_of_all_kinds_are_kept(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    kinds = ["Gene Expression"] * 8 + ["Antibody Capture", "CRISPR Guide Capture", "Multiplexing Capture"]
    lines = [f"{i}\t{g}\t{kind}" for i, g, kind in zip(ids(), _genes(), kinds, strict=True)]
    write_lines(tmp_path / "features.tsv.gz", lines)
    assert read(tmp_path).genes["feature_types"].tolist() == kinds


LISTS = {
    "one column": "{g}",
    "quotes": '"{i}"\t"{g}"',
    "commas": "{i},{g}",
    "six columns": "{i}\t{g}\tGene Expression\tchr1\t100\t200",
    "symbols first": "{g}\t{i}",
    "symbol and kind": "{g}\tGene Expression",
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_genes_are_read_with_any_columns(kind: str, tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    lines = [LISTS[kind].format(i=i, g=g) for i, g in zip(ids(), _genes(), strict=True)]
    write_lines(tmp_path / "features.tsv.gz", lines)
    genes = read(tmp_path).genes
    by_id = kind in ("quotes", "commas", "six columns")
    assert genes.index.tolist() == (ids() if by_id else _genes())
    if by_id:
        assert genes["gene_symbols"].tolist() == _genes()
    expected = {
        "one column": [],
        "six columns": ["gene_symbols", "feature_types", "chromosome", "start", "end"],
        "symbols first": ["gene_ids"],
        "symbol and kind": ["feature_types"],
    }
    assert list(genes.columns) == expected.get(kind, ["gene_symbols"])


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("gene_id\tgene_name", "{i}\t{g}"),
        (",gene_id,gene_name", "{n},{i},{g}"),
        ('"gene_id" "gene_name"', None),
        ("x,gene_name", "{i},{g}"),
    ],
)
def test_a_header_and_numbers_of_rows_are_no_genes(header: str, line: str | None, tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    header, line = (header.replace(" ", "\t"), '"{n}"\t"{i}"\t"{g}"') if line is None else (header, line)
    rows = [line.format(i=i, g=g, n=n + 1) for n, (i, g) in enumerate(zip(ids(), _genes(), strict=True))]
    write_lines(tmp_path / "features.tsv.gz", [header, *rows])
    genes = read(tmp_path).genes
    assert genes.index.tolist() == ids()
    assert genes["gene_symbols"].tolist() == _genes()


def test_genes_that_read_like_gaps_keep_their_names(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    names = ["NA", "NaN", "nan", "null", "None", "TRUE", "1", "1.0", "5'-gene", 'a "quoted" one', "Ünï"]
    write_lines(tmp_path / "features.tsv.gz", names)
    assert read(tmp_path).genes.index.tolist() == names


def test_a_table_about_the_cells_adds_columns(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    lines = [f"{code},T cell,{i}" for i, code in enumerate(barcodes())]
    write_lines(tmp_path / "metadata.csv", ["barcode,cell_type,age", *lines[::-1]])
    cells = read(tmp_path).cells
    assert cells["age"].tolist() == list(range(CELLS))
    assert set(cells["cell_type"]) == {"T cell"}


def test_a_table_about_other_cells_is_left_out_and_said(tmp_path: Path) -> None:
    write_10x(tmp_path, COUNTS)
    write_lines(tmp_path / "metadata.csv", ["sample,age", "A,1", "B,2"])
    incoming = read(tmp_path)
    assert list(incoming.cells.columns) == []
    assert "metadata.csv was left out" in incoming.arrival.notes[0]


def test_what_is_hidden_or_of_macos_is_not_read(tmp_path: Path) -> None:
    write_10x(tmp_path / "sample", COUNTS)
    write(tmp_path / "__MACOSX" / "sample" / "._matrix.mtx.gz", b"\x00\x05\x16\x07")
    write(tmp_path / "sample" / "._matrix.mtx.gz", b"\x00\x05\x16\x07")
    write(tmp_path / "sample" / ".DS_Store", b"\x00")
    assert equal(read(tmp_path), COUNTS)
