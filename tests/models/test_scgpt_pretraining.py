"""Splitting and hiding, losses, vocabularies, learning, and the generator of perturbations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from anndata import AnnData

from scviz.errors import CheckpointError, CountsError, GeneMatchError
from scviz.foundation.tokens import Tokens
from scviz.models.scgpt.config import SHAPES, tiny
from scviz.models.scgpt.model import CELL_PROMPT_AFTER, ScGPT
from scviz.models.scgpt.perturbation import Generator
from scviz.models.scgpt.pretraining import (
    elastic_similarity,
    hide_values,
    masked_mse,
    split_tokens,
    vocabulary,
)
from tests.goldens.scgpt_losses import expressed_loss, hide_share, masked_relative_error
from tests.models.cells import planted_cells


@pytest.fixture
def model() -> ScGPT:
    torch.manual_seed(0)
    return ScGPT.untrained(planted_cells(), "tiny").eval()


def test_every_gene_of_a_cell_is_either_shown_or_generated(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells())
    shares = set()
    for seed in range(12):
        parts = split_tokens(
            tokens, vocab=model.vocab, rules=model.rules, generator=torch.Generator().manual_seed(seed)
        )
        whole = tokens.lengths() - 1
        generated, known = parts.generated.lengths(), parts.known.lengths() - 1
        assert np.array_equal(generated + known, whole)
        assert (parts.known.gene_ids[:, 0] == model.vocab.special["<cls>"]).all()
        share = round(4 * generated.sum() / whole.sum()) / 4
        assert np.array_equal(generated, (whole * share).astype(int))
        shares.add(share)
        for row in range(3):
            both = [
                dict(zip(part.gene_ids[row, part.mask[row]], part.values[row, part.mask[row]], strict=True))
                for part in (parts.known, parts.generated)
            ]
            wanted = dict(
                zip(tokens.gene_ids[row, tokens.mask[row]], tokens.values[row, tokens.mask[row]], strict=True)
            )
            assert both[0] | both[1] == wanted
    assert shares == {0.25, 0.5, 0.75}


def test_cells_without_tokens_do_not_change_the_loss(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells()[:3])
    more = Tokens(
        np.concatenate([tokens.gene_ids, np.full_like(tokens.gene_ids[:1], model.vocab.special["<pad>"])]),
        np.concatenate([tokens.values, np.full_like(tokens.values[:1], -2)]),
        np.concatenate([tokens.mask, np.zeros_like(tokens.mask[:1])]),
    )
    with torch.no_grad():
        losses = [model.pretraining_loss(t, torch.Generator().manual_seed(0)) for t in (tokens, more)]
    assert losses[0] == losses[1]


def test_a_batch_of_which_nothing_is_generated_has_no_loss(model: ScGPT) -> None:
    for lengths in (np.array([0, 0]), np.array([2, 1])):
        mask = np.arange(3) < lengths[:, None]
        tokens = Tokens(np.zeros((2, 3), dtype=np.int64), np.ones((2, 3), dtype=np.float32), mask)
        loss = model.pretraining_loss(tokens, torch.Generator())
        loss.backward()
        assert loss.item() == 0


def test_after_a_thousand_updates_cells_are_generated_from_their_own_vectors_too(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells()[:8])
    model.network.eval()

    def loss() -> float:
        return model.pretraining_loss(tokens, torch.Generator().manual_seed(0)).item()

    before = loss()
    assert model.n_updates == 0
    model.training = True
    assert loss() == pytest.approx(before)
    assert model.n_updates == 1
    model.n_updates.fill_(CELL_PROMPT_AFTER)
    assert loss() > 1.3 * before


def test_hidden_values_are_a_share_of_those_that_may_be_hidden() -> None:
    values, may = torch.ones(100, 100), torch.zeros(100, 100, dtype=torch.bool)
    may[:, 50:] = True
    shown = hide_values(values, may, share=0.4, mask_value=-1, generator=torch.Generator().manual_seed(0))
    assert (shown[:, :50] == 1).all()
    assert (shown[:, 50:] == -1).float().mean() == pytest.approx(0.4, abs=0.02)


def test_the_same_share_of_each_cell_is_hidden() -> None:
    values, may = np.ones((3, 9), dtype=np.float32), np.arange(9) < np.array([[9], [5], [0]])
    shown = hide_share(values, may, np.random.default_rng(0), share=0.5, mask_value=-1)
    assert (shown == -1).sum(axis=1).tolist() == [4, 2, 0]
    assert (shown[~may] == 1).all()
    assert (values == 1).all()


def test_losses_on_numbers_that_can_be_checked_by_hand() -> None:
    predicted, target = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[2.0, 4.0, 0.0]])
    mask = torch.tensor([[True, True, False]])
    assert masked_mse(predicted, target, mask).item() == 2.5
    assert masked_relative_error(predicted, target, mask).item() == pytest.approx(0.5, rel=1e-5)
    chance = torch.tensor([[0.5, 0.25, 0.1]])
    assert expressed_loss(chance, target, mask).item() == pytest.approx(np.log(8) / 2)
    assert expressed_loss(chance, target, ~mask).item() == pytest.approx(-np.log(0.9), rel=1e-5)
    # two equal cells: cosine 1 between them, 0 on the diagonal
    cells = torch.ones(2, 4)
    assert elastic_similarity(cells, threshold=0.8).item() == pytest.approx(1 - (0.04 + 0.64) / 2)


def test_a_vocabulary_is_the_genes_with_counts_and_special_tokens_behind() -> None:
    adata = AnnData(
        np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32),
        var=pd.DataFrame({"gene_ids": [f"ENSG{i:011d}" for i in (7, 3, 5)]}, index=list("ABC")),
    )
    vocab = vocabulary(adata)
    assert vocab.genes == ("A", "B")
    assert vocab.special == {"<pad>": 2, "<cls>": 3, "<eoc>": 4}
    assert vocab.kind == "symbol"
    assert vocab.aliases == {"ENSG00000000007": "A", "ENSG00000000003": "B"}


def test_a_corpus_without_counts_or_with_negative_ones_is_refused() -> None:
    for value, error in ((0, GeneMatchError), (-1, CountsError)):
        adata = AnnData(np.full((2, 2), value, dtype=np.float32), var=pd.DataFrame(index=["A", "B"]))
        with pytest.raises(error):
            vocabulary(adata)


@pytest.mark.parametrize("objective", ["generative", "masked"])
def test_a_few_updates_lower_the_loss(model: ScGPT, objective: str) -> None:
    tokens = model.train().tokenize(planted_cells())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for step in range(60):
        generator = torch.Generator().manual_seed(step)
        if objective == "generative":
            loss = model.pretraining_loss(tokens, generator)
        else:
            loss = model.masked_value_loss(tokens, generator, ecs=1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    baseline = 2 * tokens.values[tokens.mask & (tokens.values > 0)].var()
    assert np.mean(losses[-5:]) < 0.2 * losses[0]
    assert np.mean(losses[-5:]) < baseline + 1  # as good as the mean bin, at the least


def test_masked_values_are_not_read(model: ScGPT) -> None:
    tokens = model.tokenize(planted_cells()[:2])
    with torch.no_grad():
        first = model.masked_value_loss(tokens, torch.Generator().manual_seed(0), share=0.0)
        second = model.masked_value_loss(tokens, torch.Generator().manual_seed(0), share=1.0)
    assert first == 0
    assert second > 0


def test_the_demo_shape_is_small() -> None:
    with torch.device("meta"):
        model = ScGPT(SHAPES["demo"](10_003), vocabulary(planted_cells()))
    assert 4 * sum(p.numel() for p in model.parameters()) < 6e6


def test_a_generator_takes_the_encoder_of_a_checkpoint(model: ScGPT, tmp_path: Path) -> None:
    generator = Generator(model.config)
    weights = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    report = generator.load_pretrained(weights)
    assert all(name.startswith(("encoder", "value_encoder", "transformer_encoder")) for name in report.loaded)
    assert torch.equal(generator.encoder.embedding.weight, model.network.encoder.embedding.weight)
    del weights["transformer_encoder.layers.0.norm1.weight"]
    with pytest.raises(CheckpointError, match="norm1"):
        generator.load_pretrained(weights)


def test_a_generator_learns_what_a_perturbation_does() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    n_cells, n_genes = 24, 12
    control = torch.tensor(rng.uniform(0.5, 2, (n_cells, n_genes)), dtype=torch.float32)
    flags = torch.zeros(n_cells, n_genes, dtype=torch.long)
    flags[: n_cells // 2, 0] = 1
    observed = control.clone()
    observed[: n_cells // 2, 0] = 0
    observed[: n_cells // 2, 1] += 2
    ids = torch.arange(n_genes).expand(n_cells, -1)
    generator = Generator(tiny(n_genes))
    optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        generator.loss(ids, control, flags, observed=observed).backward()
        optimizer.step()
    predicted = generator.eval().predict(ids[0], control, flags)
    no_change = ((control - observed) ** 2).mean()
    assert ((predicted - observed) ** 2).mean() < 0.2 * no_change
    assert not generator.pert_encoder.weight.grad[0].any()


@pytest.mark.parametrize("activation", [None, "Softplus"])
@pytest.mark.parametrize("mean", [1, 3])
def test_an_affine_decoder_scales_and_shifts_control(activation: str | None, mean: int) -> None:
    torch.manual_seed(0)
    generator = Generator(tiny(5), activation=activation, adaptive_bias=mean > 1).eval()
    hidden, values = torch.randn(1, 4, 32), torch.tensor([[0.0, 2.0, 4.0, 0.0]])
    decoder = generator.decoder
    with torch.no_grad():
        slope, shift = decoder.coeff_decoder(hidden), decoder.bias_decoder(hidden)
        if activation:
            slope, shift = torch.nn.functional.softplus(slope), torch.nn.functional.softplus(shift)
        wanted = slope * values + shift * mean
        np.testing.assert_allclose(decoder(hidden, values), wanted, rtol=1e-6)


def test_genes_that_no_cell_of_the_batch_expresses_may_be_left_out() -> None:
    torch.manual_seed(0)
    generator = Generator(tiny(5)).eval()
    ids, control = torch.arange(3), torch.tensor([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    flags = torch.zeros(2, 3, dtype=torch.long)
    some = generator.predict(ids, control, flags, genes="expressed")
    assert not some[:, 1].any()
    with torch.no_grad():
        wanted = generator(ids[[0, 2]].expand(2, -1), control[:, [0, 2]], flags[:, [0, 2]])
    np.testing.assert_allclose(some[:, [0, 2]], wanted, atol=1e-6)
    assert generator.predict(ids, control, flags)[:, 1].all()
