"""Tables of known links and lists of regulators."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scviz.errors import DataError
from scviz.networks.priors import prior_of, read_prior, read_regulators, regulators_left_out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("collectri.tsv", "source\ttarget\tweight\nMYC\tTERT\t1\nMYC\tMYC\t1\nSPI1\tBGLAP\t-1\n"),
        ("dorothea.tsv", "tf\tconfidence\ttarget\tmor\nMYC\tA\tTERT\t1.0\nSPI1\tD\tBGLAP\t1.0\n"),
        ("trrust.tsv", "tf\ttarget\tmode\tpmid\nMYC\tTERT\tUnknown\t1\n\nSPI1\tBGLAP\tActivation\t2\n"),
        ("remap.csv", "tf,target\nMYC,TERT\nSPI1,BGLAP\n"),
    ],
)
def test_tables_are_read_as_they_are_published(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    plain = read_prior(tmp_path / name)
    assert plain == read_prior(packed)
    assert plain.name == name.partition(".")[0]
    measured = plain.among(["MYC", "TERT", "BGLAP"])
    assert measured.targets == {"MYC": frozenset({"TERT"})}
    assert measured.n_links == 1


@pytest.mark.parametrize("name", ["MYC.10.tsv", "MYC.1.tsv.gz"])
def test_lists_of_chip_atlas_say_their_regulator_by_their_name(tmp_path: Path, name: str) -> None:
    text = "Target_genes\tMYC|Average\tSRX1|HeLa\tSTRING\nTERT\t310.5\t621\t900\nBGLAP\t12\t24\t0\n"
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    assert read_prior(tmp_path / name).targets == {"MYC": frozenset({"TERT", "BGLAP"})}


def test_a_list_of_chip_atlas_under_another_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "targets.tsv"
    path.write_text("Target_genes\tMYC|Average\nTERT\t310.5\n")
    with pytest.raises(DataError, match="does not say of which regulator") as refusal:
        read_prior(path)
    assert "MYC.10.tsv" in refusal.value.hint


def test_names_of_columns_may_be_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("TF,Target\nMYC,TERT\n")
    assert read_prior(path).targets == {"MYC": frozenset({"TERT"})}


def test_a_list_of_regulators_is_read_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "tfs.txt"
    path.write_text("# known\nMYC\nSPI1\n\nMYC\n")
    assert read_regulators(path) == ("MYC", "SPI1")


@pytest.mark.parametrize(
    "content",
    [
        b"MYC\nSPI1\n",
        b"\xef\xbb\xbfMYC\r\nSPI1\r\n",
        "MYC\nSPI1\n".encode("utf-16"),
        b"MYC, SPI1",
        b'"MYC"\n"SPI1"\n',
        b"TF\nMYC\nSPI1\n",
        b"Species\tSymbol\tEnsembl\tFamily\nHomo_sapiens\tMYC\tENSG1\tbHLH\nHomo_sapiens\tSPI1\tENSG2\tETS\n",
        b",Ensembl ID,HGNC symbol,DBD\n0,ENSG1,MYC,bHLH\n1,ENSG2,SPI1,ETS\n",
    ],
)
def test_a_list_is_known_by_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anything.dat"
    path.write_bytes(content)
    assert read_regulators(path) == ("MYC", "SPI1")
    assert regulators_left_out(path) == ()


def test_a_bad_line_of_a_list_costs_that_line_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tfs.txt"
    path.write_text("MYC\nthe others follow\nSPI1\n")
    assert read_regulators(path) == ("MYC", "SPI1")
    assert regulators_left_out(path) == (
        "Of tfs.txt 1 line is left out: line 2 is no name of a gene ('the others follow').",
    )


def test_a_short_line_of_a_table_costs_that_line_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "links.tsv"
    path.write_text("tf\ttarget\nMYC\tTERT\nSPI1\n\nSPI1\tBGLAP\n")
    prior = read_prior(path)
    assert prior.targets == {"MYC": frozenset({"TERT"}), "SPI1": frozenset({"BGLAP"})}
    assert prior.notes == ("Of links 1 line is left out: line 3 has too few cells ('SPI1').",)


def test_small_letters_and_dots_of_r_meet_the_genes_of_the_data() -> None:
    prior = prior_of("mine", [("myc", "HLA.A"), ("Myc", "tert"), ("NKX2.1", "other")])
    assert prior.among(("MYC", "HLA-A", "TERT", "NKX2-1")).targets == {"MYC": frozenset({"HLA-A", "TERT"})}
    assert prior.as_in(("NKX2-1",)).targets["NKX2-1"] == frozenset({"other"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\nMYC\tTERT\n", "has no column 'source'"),
        (b"gene\tscore\nMYC\t1\n", "has no column 'source'"),
        (b"tf\ttarget\nMYC\n", "Line 2 of table.tsv is too short"),
        (b"tf\ttarget\n", "holds no links"),
        (b"\x1f\x8bdamaged", "cannot be read: "),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_other_tables_are_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as refusal:
        read_prior(path)
    assert refusal.value.hint


def test_a_table_is_no_list_of_regulators(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("tf\ttarget\nMYC\tTERT\n")
    with pytest.raises(DataError, match="no list of regulators"):
        read_regulators(path)


@pytest.mark.parametrize(
    ("name", "n_regulators"),
    [
        ("collectri_human.tsv.gz", 1000),
        ("dorothea_human_ABCD.tsv.gz", 300),
        ("trrust_v2_human.tsv", 700),
        ("remap_chipseq_top500_human.tsv.gz", 300),
    ],
)
def test_published_tables_are_read_whole(shared: Path, name: str, n_regulators: int) -> None:
    prior = read_prior(shared / "data" / "tf" / name)
    assert len(prior.targets) > n_regulators
    assert prior.n_links > 8000
