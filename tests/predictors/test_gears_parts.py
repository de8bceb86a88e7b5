"""Graphs, loss and the heavy part of GEARS, each against what can be computed by hand or plainly."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from scviz.predictors.gears.fused_layers import recover
from scviz.predictors.gears.graphs import GeneGraph, coexpression_graph, term_graph
from scviz.predictors.gears.loss import gears_loss
from scviz.predictors.gears.network import MLP, smoothing
from scviz.predictors.gears.normalization import normalized


def arrows(graph: GeneGraph) -> set[tuple[int, int]]:
    return set(zip(graph.source.tolist(), graph.target.tolist(), strict=True))


def test_of_genes_that_share_as_many_terms_the_first_are_kept() -> None:
    terms = {gene: frozenset({"one", gene}) for gene in "ABCD"}
    graph = term_graph(terms, list("ABCD"), n_neighbors=1)
    assert arrows(graph) == {(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (2, 2), (0, 3), (3, 3)}
    np.testing.assert_allclose(graph.weight[graph.source != graph.target], 1 / 3)


def test_genes_that_share_a_tenth_of_their_terms_are_not_joined() -> None:
    shared, more = frozenset({"shared"}), [f"t{i}" for i in range(9)]
    few = term_graph({"A": shared, "B": shared.union(more)}, ["A", "B"])
    some = term_graph({"A": shared, "B": shared.union(more[:8])}, ["A", "B"])
    assert (few.n_between, some.n_between) == (0, 2)


def test_a_graph_is_the_same_however_many_genes_are_compared_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    genes = [f"G{i}" for i in range(50)]
    terms = {gene: frozenset(rng.choice(12, 4, replace=False).astype(str)) for gene in genes}
    cells = sp.csr_matrix(rng.poisson(1.0, size=(30, 50)).astype(np.float32))
    whole = term_graph(terms, genes, n_neighbors=3), coexpression_graph(cells, n_neighbors=3, least=0.1)
    monkeypatch.setattr("scviz.predictors.gears.graphs.PAIRS_AT_A_TIME", 7 * 50)
    monkeypatch.setattr("scviz.predictors.gears.graphs.CELLS_AT_A_TIME", 8)
    pieces = term_graph(terms, genes, n_neighbors=3), coexpression_graph(cells, n_neighbors=3, least=0.1)
    assert [arrows(graph) for graph in pieces] == [arrows(graph) for graph in whole]


def test_expression_joins_genes_that_rise_or_fall_together_and_none_that_never_varies() -> None:
    rise = np.arange(8.0)
    noise = np.array([0, 1, 1, 0, 0, 1, 1, 0.0])
    cells = sp.csr_matrix(np.stack([rise, 7 - rise, noise, np.ones(8), np.zeros(8)], axis=1))
    graph = coexpression_graph(cells)
    assert arrows(graph) == {(0, 0), (1, 0), (0, 1), (1, 1), (2, 2)}
    assert graph.n_between == 2


def test_smoothing_divides_by_what_comes_in_and_gives_lone_genes_themselves() -> None:
    graph = GeneGraph(
        n_genes=3, source=np.array([0, 1]), target=np.array([0, 0]), weight=np.array([1.0, 3.0])
    )
    expected = torch.tensor([[1 / 4, 3 / 2, 0], [0, 1, 0], [0, 0, 1]])
    torch.testing.assert_close(smoothing(graph).to_dense(), expected)


def test_the_loss_of_two_perturbations_by_hand() -> None:
    predicted = torch.tensor([[1.0, 0.0], [3.0, 1.0], [2.0, 5.0]])
    observed = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 9.0]])
    loss = gears_loss(
        predicted,
        observed,
        torch.tensor([0.5, 1.0]),
        kinds=torch.tensor([4, 4, 7]),
        expressed=torch.tensor([[True, True], [True, True], [True, False]]),
        direction=0.1,
    )
    first = (1**4 + 2**4) / 4 + 0.1 * (2**2) / 4  # only the first gene of the first cell goes the wrong way
    assert loss.item() == pytest.approx((first + 0.0) / 2)


def test_the_direction_part_changes_the_loss_and_teaches_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    observed, control = torch.rand(4, 6, generator=generator), torch.full((6,), 0.5)
    start, losses, slopes = torch.rand(4, 6, generator=generator), [], []
    for direction in (0.0, 1.0):
        predicted = start.clone().requires_grad_()
        kinds, expressed = torch.zeros(4, dtype=torch.long), torch.ones(4, 6, dtype=torch.bool)
        loss = gears_loss(predicted, observed, control, kinds=kinds, expressed=expressed, direction=direction)
        loss.backward()
        losses.append(loss.item())
        slopes.append(predicted.grad)
    assert losses[1] > losses[0]
    assert torch.equal(slopes[0], slopes[1])


def test_a_row_that_stands_for_cells_is_normalized_like_those_cells() -> None:
    torch.manual_seed(0)
    rows, copies = torch.rand(3, 5, 4), torch.tensor([1.0, 3.0, 2.0])
    once, often = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    ours = normalized(once, rows, copies)
    every = often(rows.repeat_interleave(copies.long(), dim=0).flatten(0, 1)).view(6, 5, 4)
    torch.testing.assert_close(ours, every[[0, 1, 4]])
    for name, buffer in often.named_buffers():
        torch.testing.assert_close(once.get_buffer(name), buffer)


def plainly(layers: nn.Sequential, gene: Tensor, cell: Tensor, base: Tensor, readout: Tensor) -> Tensor:
    """Compute the heavy part with a row for each cell and nothing else."""
    hidden = (gene[base] + cell[:, None]).relu()
    return (layers(hidden.flatten(0, 1)).view_as(hidden) * readout).sum(dim=2)


@pytest.mark.parametrize("training", [True, False])
def test_the_heavy_part_and_its_gradients_are_those_of_plain_layers(*, training: bool) -> None:
    torch.manual_seed(0)
    layers = MLP(6, 12, 6).network.train(training)
    with torch.no_grad():
        for layer in (layers[1], layers[4]):
            layer.weight.uniform_(0.5, 2.0)
            layer.bias.uniform_(-1.0, 1.0)
    plain = MLP(6, 12, 6).network.train(training)
    plain.load_state_dict(layers.state_dict())
    copies, base = torch.tensor([1.0, 3.0, 1.0, 2.0]), torch.tensor([0, 1, 1, 0])
    inputs = [torch.randn(2, 9, 6), torch.randn(4, 6), torch.randn(9, 6)]
    ours, theirs = ([part.clone().requires_grad_() for part in inputs] for _ in range(2))
    wanted = torch.randn(4, 9)

    found = recover(layers, ours[0], ours[1], base=base, copies=copies, readout=ours[2])
    (found * wanted).sum().backward()
    every = torch.arange(4).repeat_interleave(copies.long())
    expected = plainly(plain, theirs[0], theirs[1][every], base[every], theirs[2])
    first = torch.tensor([0, *np.cumsum(copies.numpy())[:-1].astype(int)])
    (expected * (wanted / copies[:, None])[every]).sum().backward()

    torch.testing.assert_close(found, expected[first], atol=1e-5, rtol=1e-5)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-4, rtol=1e-4)
    for (name, a), b in zip(layers.named_parameters(), plain.parameters(), strict=True):
        slope = torch.zeros_like(a) if a.grad is None else a.grad
        torch.testing.assert_close(slope, b.grad, atol=1e-4, rtol=1e-4, msg=name)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(layers.get_buffer(name), buffer)


def test_layers_are_named_as_published() -> None:
    names = [name for name, _ in MLP(3, 6, 3).named_parameters()]
    assert names == [f"network.{i}.{kind}" for i in (0, 1, 3, 4) for kind in ("weight", "bias")]
    assert isinstance(MLP(3, 6, 3).network[-1], nn.BatchNorm1d)  # without a last ReLU
