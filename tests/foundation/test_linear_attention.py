"""A layer of linear attention in tiles gives what the whole layer gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from scviz.foundation import linear_attention
from scviz.foundation.linear_attention import can_read_in_tiles
from scviz.models.scbert.config import tiny
from scviz.models.scbert.network import Network
from scviz.models.scfoundation.config import SHAPES
from scviz.models.scfoundation.network import DecoderBlock

N_GENES = 150


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a cell be several tiles and a part of one."""
    monkeypatch.setattr(linear_attention, "TILE", 32)


def wide(hidden: Tensor) -> Tensor:
    """Make exponents of keys rise along the cell, so that the largest one changes again and again."""
    return hidden * torch.linspace(0.1, 6, hidden.shape[1])[None, :, None]


def whole(module: torch.nn.Module, *given: object) -> Tensor:
    """Run a module as one with gradients: no tile is read."""
    found: Tensor = module(*given)
    assert found.requires_grad
    return found.detach()


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
    np.testing.assert_allclose(together, block(hidden, across_cells=True).detach(), rtol=2e-5, atol=2e-5)
    assert not np.allclose(apart, together, rtol=1e-4, atol=1e-5)


def test_gradients_and_other_precisions_take_the_whole_tensors() -> None:
    hidden = torch.zeros(1, 4, 8)
    assert not can_read_in_tiles(hidden)
    with torch.no_grad():
        assert can_read_in_tiles(hidden)
        assert not can_read_in_tiles(hidden.bfloat16())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert not can_read_in_tiles(hidden)


def test_whoever_listens_to_the_attention_hears_it() -> None:
    torch.manual_seed(3)
    shape = SHAPES["tiny"](N_GENES)
    block = DecoderBlock(shape).eval()
    hidden, heard = torch.randn(1, N_GENES, shape.decoder_width), []
    handle = block.attention.register_forward_hook(lambda _, __, given: heard.append(given))
    with torch.no_grad():
        listened = block(hidden)
        handle.remove()
        np.testing.assert_allclose(block(hidden), listened, rtol=2e-5, atol=2e-5)
    assert len(heard) == 1
