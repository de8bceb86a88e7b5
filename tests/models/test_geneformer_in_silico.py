"""In-silico perturbation beside a plain loop that edits one sentence at a time and encodes it alone."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from scviz.errors import JobCancelledError, OutOfMemoryError, RequestError
from scviz.foundation.tokens import Tokens
from scviz.models.geneformer.config import tiny
from scviz.models.geneformer.edits import Perturbation, shifted_rank
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.pretraining import vocabulary
from scviz.progress import Progress
from tests.goldens.geneformer_effects import Effects, Readout, perturb
from tests.models.cells import planted_cells

MOST = 14
"""Genes that fit into a sentence here."""
KINDS = ("delete", "overexpress", "inhibit", "activate")
STYLES = ("v1", "v2")
TOLERANCE = 5e-6  # padding and batches change the last digits of single precision

every_kind = pytest.mark.parametrize("kind", KINDS)
every_style = pytest.mark.parametrize("style", STYLES)


@cache
def model_of(style: str) -> Geneformer:
    """A small network whose random weights are large enough for edits to matter."""
    vocab = vocabulary(planted_cells(), style=style)
    shape = tiny(len(vocab) + len(vocab.special))
    config = dataclasses.replace(
        shape, n_layers=3, max_length=MOST + 2 * (style == "v2"), initializer_range=0.2
    )
    torch.manual_seed(0)
    return Geneformer(config, vocab).eval()


A, B, ABSENT = 21, 22, 23
"""Genes of the lists; no cell holds the last."""


def tokens_of(style: str) -> Tokens:
    """Cells that are full, nearly full, short, of one gene, empty; with A or B in front, at the end, or absent."""
    rng = np.random.default_rng(0)
    others = rng.permutation(np.arange(30, 150)).reshape(8, 15)
    sentences = [
        [A, *others[0, :11], B, others[0, 11]],  # full
        [*others[1, :12], B],  # one gene fits in, two would not
        [*others[2, :14]],  # full, holds neither
        [B, *others[3, :5], A],
        [*others[4, :6], A, *others[4, 6:9]],
        [A],
        [],
        [*others[5, :13], A],  # full, a listed gene last
    ]
    if style == "v2":
        sentences = [[2, *sentence, 3] if sentence else [] for sentence in sentences]
    lengths = np.array([len(sentence) for sentence in sentences])
    mask = np.arange(lengths.max()) < lengths[:, None]
    gene_ids = np.zeros(mask.shape, dtype=np.int64)
    gene_ids[mask] = [token for sentence in sentences for token in sentence]
    return Tokens(gene_ids=gene_ids, values=None, mask=mask)


def states(style: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=model_of(style).config.width) for name in ("start", "goal")}


def encoded(style: str, genes: list[int], layer: int) -> np.ndarray:
    return encoded_once(style, tuple(genes), layer)


@cache
def encoded_once(style: str, genes: tuple[int, ...], layer: int) -> np.ndarray:
    """Encode one sentence, special tokens put around it, through the full network."""
    model = model_of(style)
    sentence = torch.tensor([[2, *genes, 3] if style == "v2" else genes])
    with torch.no_grad():
        layers = list(model.network.hidden_states(sentence, torch.ones_like(sentence, dtype=torch.bool)))
    return layers[3 + layer][0].double().numpy()


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def edited(genes: list[int], listed: tuple[int, ...], kind: str) -> list[int]:
    """Edit a list of genes in the plainest way."""
    if kind == "delete":
        return [gene for gene in genes if gene not in listed]
    if kind == "overexpress":
        return ([*listed] + [gene for gene in genes if gene not in listed])[:MOST]
    step = 1 if kind == "inhibit" else -1
    targets = {gene: shifted_rank(genes.index(gene), len(genes), step) for gene in listed}
    order = [gene for gene in genes if gene not in listed]
    for gene in sorted(listed, key=lambda gene: (targets[gene], genes.index(gene))):
        order.insert(targets[gene], gene)
    return order


def reference(style: str, genes: list[int], listed: tuple[int, ...], kind: str, layer: int, mode: str):
    """Similarity, shifts and similarity of each gene for one edit of one cell."""
    after = edited(genes, listed, kind)
    if kind == "overexpress":  # genes pushed out at the end do not count as an effect
        genes = [gene for gene in genes if gene in listed or gene in after]
    if style == "v1" and not after:
        return np.nan, dict.fromkeys(states(style), np.nan), {}
    one = style == "v2"
    old, new = encoded(style, genes, layer), encoded(style, after, layer)
    each = {
        gene: cosine(new[one + after.index(gene)], old[one + genes.index(gene)])
        for gene in genes
        if gene in after and gene not in listed
    }
    if mode == "cls":
        cell_old, cell_new = old[0], new[0]
        similarity = cosine(cell_new, cell_old)
    else:
        cell_old, cell_new = (vectors[one : len(vectors) - one].mean(axis=0) for vectors in (old, new))
        similarity = float(np.mean(list(each.values()))) if each else np.nan
    shifts = {name: cosine(cell_new, s) - cosine(cell_old, s) for name, s in states(style).items()}
    return similarity, shifts, each


def compare(style: str, effects: Effects, kind: str, layer: int, mode: str) -> None:
    tokens = tokens_of(style)
    genes = tokens.gene_ids[effects.cell][tokens.mask[effects.cell]].tolist()
    genes = genes[1:-1] if style == "v2" else genes
    for p, listed in enumerate(effects.genes):
        similarity, shifts, each = reference(style, genes, listed, kind, layer, mode)
        np.testing.assert_allclose(effects.similarity[p], similarity, atol=TOLERANCE)
        for name, shift in shifts.items():
            np.testing.assert_allclose(effects.shifts[name][p], shift, atol=TOLERANCE)
        known = effects.affected[p] >= 0
        assert effects.affected[p][known].tolist() == sorted(each, key=effects.affected[p].tolist().index)
        wanted = [each[gene] for gene in effects.affected[p][known].tolist()]
        np.testing.assert_allclose(effects.gene_similarity[p][known], wanted, atol=TOLERANCE)


@every_style
@every_kind
@pytest.mark.parametrize("layer", [0, -1])
@pytest.mark.parametrize("listed", [None, (A,), (B, A), (ABSENT, A), (ABSENT,)])
def test_effects_are_those_of_a_plain_loop(style: str, kind: str, layer: int, listed: tuple | None) -> None:
    mode = "cls" if style == "v2" else "cell"
    asked = Perturbation(kind=kind, genes=listed)
    readout = Readout(layer=layer, mode=mode, states=states(style), affected=True)
    effects = list(perturb(model_of(style), tokens_of(style), asked, readout, tokens_per_batch=50))
    assert [e.cell for e in effects] == sorted(
        asked.applies_to(tokens_of(style)).tolist(), key=lambda cell: -tokens_of(style).lengths()[cell]
    )
    for cell in effects:
        compare(style, cell, kind, layer, mode)


@pytest.mark.parametrize("kind", ["delete", "overexpress"])
def test_sentences_with_cls_can_be_read_by_their_mean(kind: str) -> None:
    readout = Readout(layer=-1, mode="cell", states=states("v2"), affected=True)
    effects = list(perturb(model_of("v2"), tokens_of("v2"), Perturbation(kind=kind), readout))
    assert len(effects) == 7
    for cell in effects:
        compare_where_genes_are_left(cell, kind)


def compare_where_genes_are_left(cell: Effects, kind: str) -> None:
    """A cell of <cls> and <eos> alone has no mean over genes."""
    if cell.cell == 5:
        assert np.isnan(cell.similarity).all()
    else:
        compare("v2", cell, kind, -1, "cell")


@every_style
@pytest.mark.parametrize("kind", ["delete", "overexpress"])
def test_an_anchor_is_perturbed_with_every_other_gene(style: str, kind: str) -> None:
    readout = Readout(layer=-1, states=states(style), affected=True)
    asked = Perturbation(kind=kind, anchor=A)
    effects = {e.cell: e for e in perturb(model_of(style), tokens_of(style), asked, readout)}
    assert set(effects) == {0, 3, 4, 5, 7}
    assert effects[5].genes == ()
    assert all(pair[0] == A and pair[1] != A for cell in effects.values() for pair in cell.genes)
    for cell in effects.values():
        compare(style, cell, kind, -1, "cls" if style == "v2" else "cell")


@every_style
def test_genes_that_an_edit_does_not_move_have_no_value(style: str) -> None:
    for kind, n_missing in (("delete", 0), ("overexpress", 1), ("inhibit", None), ("activate", None)):
        for cell in perturb(model_of(style), tokens_of(style), Perturbation(kind=kind)):
            n = int(tokens_of(style).lengths()[cell.cell]) - 2 * (style == "v2")
            if n_missing is not None:
                assert len(cell.genes) == n - n_missing
            else:
                step = 1 if kind == "inhibit" else -1
                assert len(cell.genes) == sum(shifted_rank(rank, n, step) != rank for rank in range(n))


@every_style
def test_cells_that_lack_a_listed_gene_are_left_alone_unless_it_is_put_in(style: str) -> None:
    tokens = tokens_of(style)
    assert Perturbation(kind="delete", genes=(A, B)).applies_to(tokens).tolist() == [0, 3]
    assert Perturbation(kind="inhibit", genes=(A,)).applies_to(tokens).tolist() == [0, 3, 4, 5, 7]
    assert Perturbation(kind="overexpress", genes=(A,)).applies_to(tokens).tolist() == [0, 1, 2, 3, 4, 5, 7]


@every_style
@pytest.mark.parametrize("tokens_per_batch", [1, 60, 10_000])
def test_batches_do_not_matter(style: str, tokens_per_batch: int) -> None:
    asked = Perturbation(kind="delete")
    once = list(perturb(model_of(style), tokens_of(style), asked))
    again = list(perturb(model_of(style), tokens_of(style), asked, tokens_per_batch=tokens_per_batch))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_allclose(a.similarity, b.similarity, atol=TOLERANCE)


def test_what_was_stopped_half_way_goes_on_with_the_cells_that_are_left() -> None:
    model, tokens, asked = model_of("v1"), tokens_of("v1"), Perturbation(kind="delete")
    whole = {e.cell: e.similarity for e in perturb(model, tokens, asked, tokens_per_batch=50)}

    def stop_half_way(progress: Progress) -> None:
        if progress.done > progress.total / 2:
            raise JobCancelledError("stopped")

    kept: dict[int, np.ndarray] = {}

    def go_on() -> None:
        for e in perturb(model, tokens, asked, report=stop_half_way, tokens_per_batch=50):
            kept[e.cell] = e.similarity

    with pytest.raises(JobCancelledError):
        go_on()
    assert 0 < len(kept) < len(whole)
    left = np.array([cell for cell in whole if cell not in kept])
    for e in perturb(model, tokens, asked, rows=left, tokens_per_batch=50):
        assert e.cell not in kept
        kept[e.cell] = e.similarity
    assert kept.keys() == whole.keys()
    for cell, values in whole.items():
        np.testing.assert_allclose(kept[cell], values, atol=TOLERANCE)


def test_progress_counts_edited_cells() -> None:
    heard: list[Progress] = []
    effects = list(
        perturb(
            model_of("v1"),
            tokens_of("v1"),
            Perturbation(kind="delete"),
            report=heard.append,
            tokens_per_batch=50,
        )
    )
    n_edits = sum(len(e.genes) for e in effects)
    assert heard[-1].done == heard[-1].total == n_edits
    assert all(a.done <= b.done for a, b in pairwise(heard))


def test_affected_genes_carry_the_names_of_the_authors_only_where_asked() -> None:
    asked = Perturbation(kind="overexpress")
    readout = Readout(affected=True)
    right = next(perturb(model_of("v1"), tokens_of("v1"), asked, readout))
    theirs = next(
        perturb(model_of("v1"), tokens_of("v1"), dataclasses.replace(asked, published=True), readout)
    )
    assert theirs.affected.tolist() == right.affected[:, 1:].tolist()
    np.testing.assert_array_equal(theirs.gene_similarity, right.gene_similarity[:, :-1])


def cramped(most: int) -> Geneformer:
    """Return a model that runs out of memory above a number of cells."""
    model = Geneformer(model_of("v1").config, model_of("v1").vocab)
    model.load_state_dict(model_of("v1").state_dict())
    encode = model.network.hidden_state_of_copies

    def hidden_state(gene_ids: torch.Tensor, mask: torch.Tensor, layer: int) -> torch.Tensor:
        if len(gene_ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return encode(gene_ids, mask, layer)

    model.network.hidden_state_of_copies = hidden_state
    return model


def test_batches_are_halved_when_memory_runs_out() -> None:
    notes: list[str] = []
    asked, tokens = Perturbation(kind="delete"), tokens_of("v1")
    found = list(
        perturb(
            cramped(3),
            tokens,
            asked,
            report=lambda p: notes.append(p.note),
            tokens_per_batch=100,
            rows=np.array([0, 1]),
        )
    )
    assert "halved to 3 edited cells" in " ".join(notes)
    for e in found:
        compare_similarity = next(w for w in perturb(model_of("v1"), tokens, asked) if w.cell == e.cell)
        np.testing.assert_allclose(e.similarity, compare_similarity.similarity, atol=TOLERANCE)


def test_one_edited_cell_that_does_not_fit_is_an_error_with_a_hint() -> None:
    with pytest.raises(OutOfMemoryError, match="One cell alone") as caught:
        list(perturb(cramped(0), tokens_of("v1"), Perturbation(kind="delete")))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "double"}, "no perturbation 'double'"),
        ({"kind": "delete", "genes": ()}, "no gene to perturb"),
        ({"kind": "delete", "genes": (4, 4)}, "listed twice"),
        ({"kind": "delete", "genes": (4,), "anchor": 5}, "anchor"),
        ({"kind": "inhibit", "quarters": 4}, "by 4 quarters"),
    ],
)
def test_perturbations_that_make_no_sense_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        Perturbation(**wrong)
    assert caught.value.hint


def test_cls_is_refused_where_there_is_none() -> None:
    with pytest.raises(RequestError, match="no <cls> token"):
        list(perturb(model_of("v1"), tokens_of("v1"), Perturbation(kind="delete"), Readout(mode="cls")))
