"""A layer of linear attention in tiles gives what the whole layer gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from scviz.foundation import linear_attention
from scviz.foundation.linear_attention import can_read_in_tiles, key_sums
from scviz.foundation.usual_tokens import Unlike, Usual, UsualTokens
from scviz.models.scbert.config import tiny
from scviz.models.scbert.network import Attention, Network
from scviz.models.scfoundation.config import SHAPES
from scviz.models.scfoundation.network import DecoderBlock, LinearAttention
from scviz.models.scfoundation.network import Network as ScFoundationNetwork

N_GENES = 150


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a cell be several tiles and a part of one."""
    monkeypatch.setattr(linear_attention, "TILE", 32)


def wide(hidden: Tensor) -> Tensor:
    """Make exponents of keys rise along the cell, so that the largest one changes again and again."""
    return hidden * torch.linspace(0.1, 6, hidden.shape[1])[None, :, None]


def listened(module: torch.nn.Module, heard: list[object] | None = None) -> AbstractContextManager[None]:
    """Listen to every attention of a module, which is then read whole."""
    kept: list[object] = [] if heard is None else heard
    handles = [
        part.register_forward_hook(lambda _, __, given: kept.append(given))
        for part in module.modules()
        if isinstance(part, Attention | LinearAttention)
    ]

    @contextmanager
    def ended() -> Iterator[None]:
        yield
        for handle in handles:
            handle.remove()
        assert kept

    return ended()


def whole(module: torch.nn.Module, *given: object) -> Tensor:
    """Run a module with whole tensors: no tile is read."""
    with listened(module), torch.no_grad():
        found: Tensor = module(*given)
    return found


def test_scbert_in_tiles_is_scbert_whole() -> None:
    torch.manual_seed(0)
    network = Network(tiny(N_GENES)).eval()
    hidden = wide(torch.randn(3, N_GENES + 1, 32))
    seen = torch.rand(3, N_GENES + 1) > 0.3
    for mask in (None, seen):
        with torch.no_grad():
            assert network.performer.can_read_in_tiles(hidden)
            tiled = network.performer(hidden, mask)
        np.testing.assert_allclose(tiled, whole(network.performer, hidden, mask), rtol=2e-5, atol=2e-5)


def test_means_of_some_tokens_are_those_of_all_layers() -> None:
    torch.manual_seed(1)
    network = Network(tiny(N_GENES)).eval()
    genes = torch.arange(N_GENES + 1).repeat(2, 1)
    bins = torch.randint(0, 5, genes.shape)
    mask, over = torch.ones_like(genes, dtype=torch.bool), bins > 2
    given = (genes, bins, mask)
    with listened(network):
        expected = network.means(*given, over=over).detach()
    tokens = whole(network, *given)
    for cell in range(2):
        np.testing.assert_allclose(expected[cell], tokens[cell, over[cell]].mean(dim=0), rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        np.testing.assert_allclose(network.means(*given, over=over), expected, rtol=1e-5, atol=1e-5)
        none = network.means(*given, over=torch.zeros_like(over))
    assert none.isnan().all()


def test_one_largest_exponent_for_all_cells_is_not_read_in_tiles() -> None:
    torch.manual_seed(2)
    shape = SHAPES["tiny"](N_GENES)
    block = DecoderBlock(shape).eval()
    hidden = wide(torch.randn(2, N_GENES, shape.decoder_width))
    with torch.no_grad():
        apart, together = block(hidden), block(hidden, across_cells=True)
    np.testing.assert_allclose(apart, whole(block, hidden), rtol=2e-5, atol=2e-5)
    with listened(block), torch.no_grad():
        np.testing.assert_allclose(together, block(hidden, across_cells=True), rtol=2e-5, atol=2e-5)
    assert not np.allclose(apart, together, rtol=1e-4, atol=1e-5)


def test_other_precisions_take_the_whole_tensors() -> None:
    hidden = torch.zeros(1, 4, 8)
    assert can_read_in_tiles(hidden)
    assert not can_read_in_tiles(hidden.bfloat16())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not can_read_in_tiles(hidden)


def gradients(module: torch.nn.Module, hidden: Tensor, *given: object) -> list[Tensor]:
    """Give the gradients of what a module reads and of all its weights that have one."""
    read = hidden.clone().requires_grad_()
    module.zero_grad()
    out = module(read, *given)
    (out * torch.sin(torch.arange(out.numel())).view_as(out)).sum().backward()
    assert read.grad is not None
    return [read.grad, *(weights.grad.clone() for weights in module.parameters() if weights.grad is not None)]


@pytest.mark.parametrize("family", ["scbert", "scfoundation"])
def test_gradients_of_tiles_are_those_of_whole_tensors(family: str) -> None:
    torch.manual_seed(4)
    shape = SHAPES["tiny"](N_GENES)
    module = Network(tiny(N_GENES)).eval().performer if family == "scbert" else DecoderBlock(shape).eval()
    hidden = wide(torch.randn(2, N_GENES + 1, 32 if family == "scbert" else shape.decoder_width))
    given = (torch.rand(2, N_GENES + 1) > 0.3,) if family == "scbert" else ()
    tiled = gradients(module, hidden, *given)
    with listened(module):
        expected = gradients(module, hidden, *given)
    assert len(tiled) == len(expected) > 8
    for found, other in zip(tiled, expected, strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-3, atol=float(other.abs().max()) * 2e-5)


def test_a_frozen_layer_is_read_without_gradients() -> None:
    torch.manual_seed(5)
    shape = SHAPES["tiny"](N_GENES)
    block = DecoderBlock(shape).eval().requires_grad_(False)
    hidden = torch.randn(1, N_GENES, shape.decoder_width)
    assert not block(hidden).requires_grad
    block.widen.weight.requires_grad_()
    assert block(hidden).requires_grad
    np.testing.assert_allclose(block(hidden).detach(), whole(block, hidden), rtol=2e-5, atol=2e-5)


def test_whoever_listens_to_the_attention_hears_it() -> None:
    torch.manual_seed(3)
    shape = SHAPES["tiny"](N_GENES)
    block = DecoderBlock(shape).eval()
    hidden, heard = torch.randn(1, N_GENES, shape.decoder_width), []
    with torch.no_grad():
        with listened(block, heard):
            told = block(hidden)
        np.testing.assert_allclose(block(hidden), told, rtol=2e-5, atol=2e-5)
    assert len(heard) == 1


def levels_of(cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Give genes, levels of which most are 0, and the mask of cells, (B, L) each."""
    genes = torch.arange(N_GENES + 1).repeat(cells, 1)
    bins = torch.where(torch.rand(genes.shape) < 0.15, torch.randint(1, 5, genes.shape), 0)
    return genes, bins, torch.ones_like(genes, dtype=torch.bool)


def test_a_cell_that_is_mostly_silent_is_read_by_what_differs() -> None:
    torch.manual_seed(6)
    network, given = Network(tiny(N_GENES)).eval(), levels_of(3)
    expected = whole(network, *given)
    read = []
    known = UsualTokens.of
    with pytest.MonkeyPatch.context() as patch, torch.inference_mode():
        patch.setattr(UsualTokens, "of", lambda *asked: read.append(known(*asked)) or read[-1])
        np.testing.assert_allclose(network(*given), expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(network(*given), expected, rtol=1e-5, atol=1e-5)
    assert read[0] is read[1]
    with torch.no_grad():
        network.performer.first_parts().key.weight.mul_(1.5)  # as an update of training does
        changed = whole(network, *given)
        np.testing.assert_allclose(network(*given), changed, rtol=1e-5, atol=1e-5)
    assert not np.allclose(changed, expected, atol=1e-4)


def test_sums_by_what_differs_are_those_of_all_tokens_or_none() -> None:
    torch.manual_seed(7)
    parts = DecoderBlock(SHAPES["tiny"](N_GENES)).eval().parts()
    usual_hidden, others = torch.randn(N_GENES, 16), torch.arange(0, N_GENES, 4)
    hidden = usual_hidden.index_copy(0, others, torch.randn(len(others), 16) * 3)
    with torch.no_grad():
        unlike = Unlike(usual=Usual(hidden=usual_hidden, keys=key_sums(usual_hidden, parts)), others=others)
        found = unlike.sums(hidden, parts)
        assert found is not None
        np.testing.assert_allclose(found, key_sums(hidden, parts).finished(), rtol=1e-4, atol=1e-6)
        assert replace(unlike, others=torch.arange(100)).sums(hidden, parts) is None
        sharp = replace(parts, key=torch.nn.Linear(16, 16, bias=False), attention_norm=torch.nn.Identity())
        loud = usual_hidden.clone()
        loud[0] *= 100  # one usual token outweighs all others, and this cell has another in its place
        fallen = Unlike(usual=Usual(hidden=loud, keys=key_sums(loud, sharp)), others=others)
        assert fallen.sums(hidden, sharp) is None


def test_the_decoder_reads_what_differs_from_a_silent_cell() -> None:
    torch.manual_seed(8)
    shape = SHAPES["tiny"](N_GENES)
    network = Decoding(shape).eval()
    values, positions = (
        torch.rand(2, 12) * 3,
        torch.stack([torch.randperm(N_GENES + 2)[:12] for _ in range(2)]),
    )
    mask = torch.ones(2, 12, dtype=torch.bool)
    mask[1, 9:] = False
    positions = positions.where(mask, N_GENES + 2)
    expected = whole(network, values, positions, mask)
    with torch.no_grad():
        np.testing.assert_allclose(network(values, positions, mask), expected, rtol=1e-4, atol=1e-5)


class Decoding(ScFoundationNetwork):
    """The network, called for the vectors of all genes; whole tensors where its attention is listened to."""

    def forward(self, values: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        return self.decode_cells(values, positions, mask)
