"""Motifs near the genes of a module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from scviz.errors import DataError
from scviz.networks.motifs import (
    Annotation,
    Pruning,
    Rankings,
    enriched_motifs,
    read_annotations,
    recovered_area,
    regulons_of,
)
from scviz.networks.regulons import CoexpressionModule

N_GENES, N_MOTIFS = 100, 40
OWN = tuple(f"G{i}" for i in range(6))
HEAD = "#motif_id\tgene_name\tmotif_similarity_qvalue\torthologous_identity\tdescription\n"


@pytest.fixture
def rankings(tmp_path: Path) -> Rankings:
    """Motif M3 has the genes G0 to G5 on top, M1 the genes G0 to G3; the others are random."""
    rng = np.random.default_rng(0)
    ranks = np.stack([rng.permutation(N_GENES) for _ in range(N_MOTIFS)])
    ranks[3] = np.arange(N_GENES)
    ranks[1] = np.r_[0:4, 98, 99, 4:98]
    columns = {f"G{i}": ranks[:, i].astype(np.int16) for i in range(N_GENES)}
    path = tmp_path / "made.genes_vs_motifs.rankings.feather"
    feather.write_feather(pa.table({**columns, "motifs": [f"M{i}" for i in range(N_MOTIFS)]}), path)
    return Rankings(path)


def module(*genes: str) -> CoexpressionModule:
    weights = {gene: float(i) for i, gene in enumerate(genes, 1)}
    return CoexpressionModule(regulator="TF", direction="activating", family="top6", weights=weights)


ANNOTATIONS = {"TF": {"M3": Annotation(q=0.0, identity=1.0)}}
PRUNING = Pruning(auc_share=0.1, rank_threshold=60)


def test_the_planted_motif_is_enriched_and_its_genes_are_kept(rankings: Rankings) -> None:
    (found,) = enriched_motifs(module(*OWN, "G60"), rankings, ANNOTATIONS, pruning=PRUNING)
    assert (found.motif, found.n_enriched) == ("M3", 2)
    assert found.targets == {gene: float(i) for i, gene in enumerate(OWN, 1)}
    assert found.score == found.nes > 3


def test_the_published_order_takes_targets_from_another_motif(rankings: Rankings) -> None:
    chosen = Pruning(auc_share=0.1, rank_threshold=60, published=True)
    (found,) = enriched_motifs(module(*OWN, "G60"), rankings, ANNOTATIONS, pruning=chosen)
    assert found.motif == "M3"
    assert set(found.targets) == set(OWN[:4])


def test_motifs_of_other_regulators_and_modules_beyond_the_database_are_left_out(rankings: Rankings) -> None:
    assert enriched_motifs(module(*OWN), rankings, {"OTHER": ANNOTATIONS["TF"]}, pruning=PRUNING) == []
    assert enriched_motifs(module(*OWN[:4], "NOT HERE"), rankings, ANNOTATIONS, pruning=PRUNING) == []
    assert enriched_motifs(module("NOT HERE"), rankings, ANNOTATIONS, pruning=PRUNING) == []


def test_an_area_is_counted_by_hand() -> None:
    # ranks 0 and 2 of a cut at 4: (4 - 0) + (4 - 2) of at most (4 + 1) * 2
    assert recovered_area(np.array([[0, 2], [4, 9]]), np.ones(2), 4).tolist() == [0.6, 0.0]


def test_the_score_is_less_for_motifs_that_are_only_alike(rankings: Rankings) -> None:
    alike = {"TF": {"M3": Annotation(q=1e-5, identity=0.5)}}
    (direct,) = enriched_motifs(module(*OWN), rankings, ANNOTATIONS, pruning=PRUNING)
    (found,) = enriched_motifs(module(*OWN), rankings, alike, pruning=PRUNING)
    assert found.score == pytest.approx(direct.nes * 0.5 * 0.5)
    (regulon,) = regulons_of([found, direct])
    assert (regulon.name, regulon.score, regulon.evidence) == ("TF(+)", direct.score, ("M3",))


def test_the_surest_annotation_of_a_motif_counts(tmp_path: Path) -> None:
    path = tmp_path / "motifs.tbl"
    rows = ["M1\tTF\t0.0005\t1.0\tx", "M1\tTF\t0.0001\t0.5\tx", "M2\tTF\t0.5\t1.0\tx", "M3\tTF\t0\t\tx"]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    assert read_annotations(path) == {"TF": {"M1": Annotation(q=0.0001, identity=0.5)}}


def test_other_files_are_refused_in_words(tmp_path: Path) -> None:
    table = tmp_path / "motifs.tbl"
    table.write_text("a\tb\n1\t2\n")
    with pytest.raises(DataError, match="no table that ties motifs") as refusal:
        read_annotations(table)
    assert "gene_name" in refusal.value.hint
    with pytest.raises(DataError, match="no database of rankings by its name"):
        Rankings(table)
    old = tmp_path / "old.genes_vs_motifs.rankings.feather"
    old.write_bytes(b"FEA1 and no more")
    with pytest.raises(DataError, match="cannot be read as Feather, version 2"):
        Rankings(old)
    bare = tmp_path / "bare.genes_vs_motifs.rankings.feather"
    feather.write_feather(pa.table({"G1": [0]}), bare)
    with pytest.raises(DataError, match="no column of motifs"):
        Rankings(bare)
