"""Terms of genes are read from every kind of file, and nothing in a file can run."""

from __future__ import annotations

import gzip
import pickle  # noqa: TID251 - the published file is one
from collections import OrderedDict
from pathlib import Path

import pytest

from scviz.datasets import gene_terms
from scviz.datasets.gene_terms import genes_by_term, keep_terms, read_terms, terms_left_out, write_terms
from scviz.errors import DataError
from scviz.networks.contract import GeneSet
from scviz.networks.gmt import gmt_text
from scviz.workspace import Workspace

TERMS = {"KLF1": frozenset({"GO:1", "GO:2"}), "GATA1": frozenset({"GO:1"})}
FILES = {
    "a.gmt": "GO:1\tdescription\tKLF1\tGATA1\nGO:2\t\tKLF1\n",
    "a.tsv": "gene\tterm\nKLF1\tGO:1\nKLF1\tGO:2\nGATA1\tGO:1\n",
    "no_head.tsv": "KLF1\tGO:1\nKLF1\tGO:2\nGATA1\tGO:1\n",
    "a.csv": '# comment\nsymbol,term\n"KLF1","GO:1"\nKLF1,GO:2\nGATA1,GO:1\n',
    "a.json": '{"KLF1": ["GO:1", "GO:2"], "GATA1": ["GO:1"], "NONE": []}',
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_each_kind_gives_the_same_terms(tmp_path: Path, name: str, *, packed: bool) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    content = FILES[name].encode()
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    assert read_terms(path) == TERMS


@pytest.mark.parametrize(
    "text",
    [
        FILES["a.gmt"],
        FILES["a.gmt"].replace("\n", "\r\n"),
        "GO:1,description,KLF1,GATA1\nGO:2,,KLF1\n",
        FILES["a.tsv"],
        FILES["a.csv"].replace(",", ";"),
        "gs_name\tgene_symbol\nGO:1\tKLF1\nGO:2\tKLF1\nGO:1\tGATA1\n",
        "term,gene\nGO:1,KLF1\nGO:2,KLF1\nGO:1,GATA1\n",
        "GO:1\tKLF1\nGO:2\tKLF1\nGO:1\tGATA1\n",
        "gene\tterm\tevidence\nKLF1\tGO:1\tIEA\nKLF1\tGO:2\tIEA\nGATA1\tGO:1\tTAS\n",
        '{"GO:1": {"geneSymbols": ["KLF1", "GATA1"]}, "GO:2": {"geneSymbols": ["KLF1"], "pmid": "1"}}',
        FILES["a.json"],
    ],
)
@pytest.mark.parametrize("name", ["sets.gmt", "sets.txt", "sets.csv", "sets", "term2gene.dat"])
def test_a_file_is_known_by_its_content_whatever_it_is_called(tmp_path: Path, name: str, text: str) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        if text.startswith("{") and encoding == "utf-16":
            continue
        (tmp_path / name).write_bytes(text.encode(encoding))
        assert read_terms(tmp_path / name) == TERMS
        assert terms_left_out(tmp_path / name) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "GO:1\tdescription\tKLF1\tGATA1\nGO:9\tno genes\n\nGO:2\t\tKLF1\n",
            "1 line is left out: line 2 has no genes behind its description ('GO:9').",
        ),
        (
            "gene\tterm\nKLF1\tGO:1\nKLF1\tGO:2\nSTAT1\nIRF1\nGATA1\tGO:1\n",
            "2 lines are left out: line 4 has no second column ('STAT1'), line 5 has no second column ('IRF1').",
        ),
        (
            'gene,term\nKLF1,GO:1\nKLF1,GO:2\n"STAT1\nGATA1,GO:1\n',
            "1 line is left out: line 4 has no second column ('STAT1').",
        ),
    ],
)
def test_a_bad_line_costs_that_line_alone_and_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read_terms(tmp_path / "a.txt") == TERMS
    assert terms_left_out(tmp_path / "a.txt") == (said,)


def test_a_letter_of_another_encoding_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.gmt").write_bytes("GO:1\tSj\u00f6gren\tKLF1\tGATA1\nGO:2\t\tKLF1\n".encode("latin-1"))
    assert read_terms(tmp_path / "a.gmt") == TERMS


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_published_dictionary_of_sets_is_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "gene2go_all.pkl"
    path.write_bytes(pickle.dumps({gene: set(known) for gene, known in TERMS.items()}, protocol=protocol))
    assert read_terms(path) == TERMS


class Runs:
    """Would write a file when read with plain pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"KLF1": Runs(tmp_path / "ran")}))
    with pytest.raises(DataError, match="which terms do not need") as refusal:
        read_terms(tmp_path / "a.pkl")
    assert "download" in refusal.value.hint.lower()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(OrderedDict(KLF1={"GO:1"})),
        pickle.dumps(["KLF1"]),
        pickle.dumps({"KLF1": 3}),
        pickle.dumps({"KLF1": {1}}),
        pickle.dumps({"KLF1": {"GO:1"}})[:-9],
        b"",
        b"\x80\x04garbage",
        b"cbuiltins\nstr\n(lp0\nb.",
    ],
)
def test_other_pickles_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(DataError) as refusal:
        read_terms(tmp_path / "a.pkl")
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gmt", b"one word a line\n"),
        ("a.tsv", b"KLF1\n"),
        ("a.csv", b""),
        ("a.json", b"[1]"),
        ("a.json", b'{"KLF1": "GO:1"}'),
        ("a.json", b"{"),
        ("a.tsv", b"\xff\xfe\x00"),
        ("a.xlsx", b"PK"),
        ("a.gmt.gz", gzip.compress(b"GO:1\t\tKLF1\n", mtime=0)[:-6]),
    ],
)
def test_a_file_that_holds_no_terms_is_refused_with_the_kinds_that_are_read(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as refusal:
        read_terms(tmp_path / name)
    assert name in str(refusal.value)
    assert refusal.value.hint


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_terms(tmp_path / "gone.gmt")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gene_terms, "LARGEST_FILE", 1000)
    (tmp_path / "a.gmt.gz").write_bytes(gzip.compress(b"GO:1\t\tKLF1\n" * 1000, mtime=0))
    with pytest.raises(DataError, match="holds more than"):
        read_terms(tmp_path / "a.gmt.gz")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_terms(TERMS, tmp_path / "a.json")
    (tmp_path / "a.gmt").write_text(
        gmt_text(GeneSet(name=term, genes=genes) for term, genes in genes_by_term(TERMS).items()),
        encoding="utf-8",
    )
    assert read_terms(tmp_path / "a.json") == read_terms(tmp_path / "a.gmt") == TERMS


def test_terms_are_kept_once_and_listed(workspace: Workspace) -> None:
    info = keep_terms(TERMS, workspace, name="My terms", source="from the file a.gmt")
    assert keep_terms(TERMS, workspace, name="My terms", source="again") == info.__class__(
        id=info.id, name="My terms", source="again", n_genes=2, n_terms=2
    )
    assert info.id.startswith("my-terms-")
    assert workspace.terms() == [info]
    assert (info.n_genes, info.n_terms) == (2, 2)
    assert read_terms(workspace.terms_file(info.id)) == TERMS
    other = keep_terms({"KLF1": {"GO:1"}}, workspace, name="My terms", source="")
    assert {one.id for one in workspace.terms()} == {info.id, other.id}


@pytest.mark.parametrize(
    ("content", "terms"),
    [
        (b"gs_name\tgene_symbol\n1\tA\tSTAT1\n2\tA\tIRF1\n", {"STAT1": {"A"}, "IRF1": {"A"}}),  # write.table
        (b"HYPOXIA\tSTAT1\nHYPOXIA\tIRF1\n", {"STAT1": {"HYPOXIA"}, "IRF1": {"HYPOXIA"}}),
        (b"STAT1\tHYPOXIA\nIRF1\tHYPOXIA\n", {"STAT1": {"HYPOXIA"}, "IRF1": {"HYPOXIA"}}),
        (b"GO:0001\t6772\nGO:0002\t3659\n", {"6772": {"GO:0001"}, "3659": {"GO:0002"}}),
        (b"GO:1\tENSG00000115415\n", {"ENSG00000115415": {"GO:1"}}),
        (b"term,genes\nA,STAT1;IRF1\nB,TP53\n", {"STAT1": {"A"}, "IRF1": {"A"}, "TP53": {"B"}}),
        (b"ID,Description,geneID\nGO:1,heme,STAT1/IRF1\n", {"STAT1": {"GO:1"}, "IRF1": {"GO:1"}}),
        (b"A\tSTAT1\tIRF1\nB\tTP53\tCD4\n", {"STAT1": {"A"}, "IRF1": {"A"}, "TP53": {"B"}, "CD4": {"B"}}),
        (b"A\tabout\tSTAT1\nSTAT1_UP\tSTAT1\tIRF1\n", {"STAT1": {"A"}, "IRF1": {"STAT1_UP"}}),
    ],
)
def test_terms_are_read_whichever_way_they_are_written(
    content: bytes, terms: dict[str, set[str]], tmp_path: Path
) -> None:
    path = tmp_path / "terms.txt"
    path.write_bytes(content)
    assert read_terms(path) == terms
    assert terms_left_out(path) == ()


def test_annotations_of_the_gene_ontology_are_read_without_what_is_denied(tmp_path: Path) -> None:
    line = (
        "UniProtKB\tP4\t{}\t{}\t{}\tPMID:1\tIDA\t\tF\tname\tother\tprotein\ttaxon:9606\t20200101\tUniProt\n"
    )
    rows = [("STAT1", "enables", "GO:1"), ("STAT1", "NOT|enables", "GO:2"), ("IRF1", "involved_in", "GO:3")]
    path = tmp_path / "goa_human.gaf"
    path.write_text("!gaf-version: 2.2\n!\n" + "".join(line.format(*row) for row in rows))
    assert read_terms(path) == {"STAT1": {"GO:1"}, "IRF1": {"GO:3"}}


def test_lines_with_an_empty_column_are_named(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("term\tgene\nA\tSTAT1\n\tTP53\nB\t\n")
    assert read_terms(path) == {"STAT1": {"A"}}
    (said,) = terms_left_out(path)
    assert said.startswith("2 lines are left out")
    assert "line 3" in said
    assert "line 4" in said
