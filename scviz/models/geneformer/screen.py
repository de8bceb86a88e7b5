r"""A quick screen of all deletions: how far each would move a cell, from a few backward passes instead of n passes.

Give every gene i a gate :math:`g_i`, 1 with the gene and 0 without: as a key of attention in every layer, in the mean
over genes, and in the ranks of the genes below it. A cell vector :math:`E(g)` with one gate closed is exactly that
of the cell without the gene, and with :math:`G = \partial (d \cdot E) / \partial x` the change of E along a direction
d is, to first order in what follows each gate,

* attention with weights a, values v and outputs o: :math:`\sum_{j \ne i} \frac{a_{ji}}{1 - a_{ji}} (o_j - v_i) \cdot
  G^o_j`, which is how the outputs change when key i is gone,
* the mean: :math:`d \cdot (E - h_i) / (n - 1)`,
* the ranks: :math:`\sum_{j > i} (h^0_j(j - 1) - h^0_j(j)) \cdot G^{h^0}_j`, a sum from behind.

What the gene itself would have read is left out, since nobody reads the gene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize, scaled_dot_product_attention
from transformers.models.bert.modeling_bert import BertLayer

from scviz.errors import RequestError
from scviz.foundation.batching import longest_first
from scviz.foundation.tokens import Tokens
from scviz.models.geneformer.config import CellMode
from scviz.models.geneformer.network import Network
from scviz.progress import Progress, Report, silent

N_POINTS = 5
"""Points of the ranking: about a second for a cell of 500 genes at the size of V1-10M. With 5, nine
in ten of the 20 strongest genes are among the first 50; with 17 and a goal, among the first 20."""
FEWEST_DIRECTIONS = 4
"""Directions along which the change of a cell is estimated where there is no goal."""
READINGS_OF_DIRECTION = 2
"""What a direction costs in readings of each point: one there and one back."""
SHARE_OF_CHANGE = 0.8
"""So many of them are taken as hold this share of exact changes, which did not choose them."""
SMALLEST = 1e-3
"""Least share of attention that is left to other keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read of a sentence."""

    special_tokens: bool
    """Whether it begins with `<cls>` and ends with `<eos>`."""
    depth: int
    """Layers that are run."""
    mode: CellMode

    def __post_init__(self) -> None:
        if self.mode == "cls" and not self.special_tokens:
            raise RequestError(
                "This checkpoint has no <cls> token, so cells cannot be read from it.",
                hint="Read the mean over genes.",
            )


class Linearized:
    """One cell, encoded so that the effect of deleting each of its genes can be read off.

    Parameters
    ----------
    sentence
        (L,) tokens of the cell without padding.
    n_points
        Points of the ranking at which the cell is encoded with all genes below moved up by one rank. A gene is read
        off at the points before and behind it, so that only the ranks between are a matter of the first order.
    """

    def __init__(
        self,
        network: Network,
        sentence: NDArray[np.int64],
        reading: Reading,
        *,
        n_points: int = N_POINTS,
    ) -> None:
        self.network, self.mode, self.depth = network.eval(), reading.mode, reading.depth
        first = int(reading.special_tokens)
        self.genes = slice(first, len(sentence) - first)
        self.n_genes = len(sentence) - 2 * first
        device = network.token_embedding.device
        points = first + torch.linspace(0, self.n_genes - 1, n_points, device=device).round()
        self.points = torch.unique(points)  # (K,)
        self.places = places = torch.arange(len(sentence), device=device)
        self.nearness = self._weights(places[self.genes].float())  # (K, n)
        ids = torch.as_tensor(sentence, device=device)
        with torch.no_grad():
            own, above = (self._embedded(ids, places - k) for k in (0, 1))
            self.moved = above - own  # (L, D) each token one place up
            below = places > self.points[:, None]
            states = torch.where(below[..., None], above, own)  # (K, L, D)
            self.embedding = self._cells(self._encoded(own[None])[0])[0]
            """(D,) the cell vector."""
        with torch.enable_grad():
            self.inputs = states.requires_grad_(True)
            hidden, self.parts = self._encoded(self.inputs)
            self.cells = self._cells(hidden)  # (K, D)
        self.hidden = hidden.detach()

    def _embedded(self, ids: Tensor, places: Tensor) -> Tensor:
        """Give h^0 of tokens at these places, (L, D)."""
        embeddings = self.network.lm.bert.embeddings
        return cast(Tensor, embeddings(input_ids=ids[None], position_ids=places.clamp(min=0)[None]))[0]

    def _encoded(self, hidden: Tensor) -> tuple[Tensor, list[_Attention]]:
        """Run the layers, (K, L, D), and keep what the gates act on."""
        parts = []
        for module in self.network.lm.bert.encoder.layer[: self.depth]:
            layer = cast(BertLayer, module)
            part = _Attention.of(layer, hidden)
            joined = part.output.transpose(1, 2).flatten(2)  # (K, L, D)
            hidden = layer.feed_forward_chunk(layer.attention.output(joined, hidden))  # type: ignore[no-untyped-call]
            parts.append(part)
        return hidden, parts

    def _cells(self, hidden: Tensor) -> Tensor:
        """Give cell vectors, (K, D)."""
        return hidden[:, 0] if self.mode == "cls" else hidden[:, self.genes].mean(dim=1)

    @property
    def alone(self) -> bool:
        """Whether nothing is left to read once the one gene of the cell is deleted."""
        return self.mode == "cell" and self.n_genes < 2

    def change_along(self, direction: Tensor) -> Tensor:
        """Give the change of the cell vector along a direction when each gene is deleted, (n,); NaN if it is alone."""
        if self.alone:
            return torch.full((self.n_genes,), torch.nan)
        wanted = [self.inputs, *(part.output for part in self.parts)]
        along = self.cells @ direction  # (K,)
        grads = torch.autograd.grad(
            along.sum(), wanted, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        with torch.no_grad():
            gates = torch.zeros_like(self.nearness)  # (K, n)
            for part, grad in zip(self.parts, grads[1:], strict=True):
                gates += part.without_each_key(grad)[:, self.genes]
            if self.mode == "cell":
                left = self.cells[:, None] - self.hidden[:, self.genes]  # (K, n, D)
                gates += left @ direction / (self.n_genes - 1)
            ranks = self._by_rank(grads[0], along - self.embedding @ direction)
            return (gates * self.nearness).sum(dim=0) + ranks

    def deleted_at_points(self) -> Tensor:
        """Give the exact cell vector after deleting the gene at each point, (K, D)."""
        with torch.no_grad():
            kept = torch.stack([self.places[self.places != point] for point in self.points])
            states = self.inputs.detach().gather(1, kept[..., None].expand(-1, -1, self.inputs.shape[2]))
            hidden, _ = self._encoded(states)
            last = self.genes.stop - 1
            return hidden[:, 0] if self.mode == "cls" else hidden[:, self.genes.start : last].mean(dim=1)

    def _by_rank(self, grad: Tensor, exact: Tensor) -> Tensor:
        """Move the tokens below each gene up by one place, (n,).

        Each token counts by the gradient halfway through its move, interpolated between points; what is then missing
        to the `exact` change (K,) at the points is interpolated, too.
        """
        each = ((self.moved * grad).sum(dim=2) * self._weights(self.places - 0.5)).sum(dim=0)  # (L,)
        below = each.flip(0).cumsum(0).flip(0) - each
        missing = exact - below[self.points.long()]  # (K,)
        return below[self.genes] + missing @ self.nearness

    def _weights(self, places: Tensor) -> Tensor:
        """Interpolate between points, (K, P): weights of the nearest before and behind each of P places."""
        if len(self.points) == 1:
            return torch.ones(1, len(places), device=places.device)
        places = places.clamp(self.points[0], self.points[-1]).contiguous()
        behind = torch.searchsorted(self.points, places).clamp(1, len(self.points) - 1)
        low, high = self.points[behind - 1], self.points[behind]
        share = (places - low) / (high - low)
        weights = torch.zeros(len(self.points), len(places), device=places.device)
        weights.scatter_(0, (behind - 1)[None], (1 - share)[None])
        return weights.scatter_(0, behind[None], share[None])


@dataclass(frozen=True, slots=True)
class _Attention:
    """Attention of one layer in one cell."""

    query: Tensor
    """(1, H, L, D/H)."""
    key: Tensor
    value: Tensor
    output: Tensor

    @classmethod
    def of(cls, layer: BertLayer, hidden: Tensor) -> _Attention:
        """Attend to all tokens of a cell, (1, L, D)."""
        part = layer.attention.self
        shape = (*hidden.shape[:2], part.num_attention_heads, -1)
        query, key, value = (
            project(hidden).view(shape).transpose(1, 2) for project in (part.query, part.key, part.value)
        )
        return cls(query, key, value, scaled_dot_product_attention(query, key, value))

    def without_each_key(self, grad: Tensor) -> Tensor:
        """Give the change of what `grad` (K, H, L, D/H) measures when each key is gone, (K, L); head by head."""
        change = grad.new_zeros(grad.shape[0], grad.shape[2])
        for query, key, value, output, down in zip(
            *(x.transpose(0, 1) for x in (self.query, self.key, self.value, self.output, grad)), strict=True
        ):
            weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)  # (K, L, L)
            odds = weights / (1 - weights).clamp(min=SMALLEST)
            odds.diagonal(dim1=1, dim2=2).zero_()
            change += ((output * down).sum(dim=-1)[:, None] @ odds)[:, 0] - (odds * (down @ value.mT)).sum(
                dim=1
            )
        return change


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What deleting each gene of a cell would do, by estimate."""

    cell: int
    """Row of the tokens."""
    genes: NDArray[np.int64]
    """(n,) tokens, in their order in the cell."""
    values: NDArray[np.float32]
    """(n,) shift towards the goal, less that towards the start; without a goal 1 - cos(E', E). NaN in a cell that
    has no other gene and no `<cls>`."""


def screen(
    network: Network,
    tokens: Tokens,
    reading: Reading,
    *,
    goal: NDArray[np.floating] | None = None,
    start: NDArray[np.floating] | None = None,
    n_points: int = N_POINTS,
    report: Report = silent,
) -> Iterator[Scores]:
    """Estimate the effect of deleting each gene of each cell, the longest cells first.

    Parameters
    ----------
    goal, start
        (D,) vectors of the state that cells may move to and of the one they are in.
    n_points
        Points of the ranking at which a cell is encoded: time and memory grow with it, and so does precision.
    """
    order = longest_first(tokens.lengths())
    for done, row in enumerate(order.tolist(), start=1):
        sentence = tokens.gene_ids[row][tokens.mask[row]]
        cell = Linearized(network, sentence, reading, n_points=n_points)
        values = moved_scores(cell) if goal is None else shift_scores(cell, goal, start)
        report(Progress(stage="Screening genes", done=done, total=len(order)))
        yield Scores(cell=row, genes=sentence[cell.genes], values=values)


def shift_scores(
    cell: Linearized, goal: NDArray[np.floating], start: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """Estimate the shift towards a goal, less that towards the start, when each gene is deleted, (n,)."""
    vector = cell.embedding.clone().requires_grad_(True)
    states = [
        torch.as_tensor(state, device=vector.device).to(vector)
        for state in (goal, start)
        if state is not None
    ]
    with torch.enable_grad():
        cosines = torch.stack([cosine_similarity(vector, state, dim=0) for state in states])
        (direction,) = torch.autograd.grad(cosines[0] - cosines[1:].sum(), vector)
    return cell.change_along(direction).cpu().numpy()


def moved_scores(
    cell: Linearized, *, share: float = SHARE_OF_CHANGE, most: int | None = None
) -> NDArray[np.float32]:
    r"""Estimate :math:`1 - \cos(E', E)` when each gene is deleted, (n,).

    It has no first-order term: it is :math:`|\Delta E|^2 / 2 |E|^2` for the change across E. The change is taken along
    the directions in which the vectors of the genes in the cell differ most, as many as the cell needs.

    Parameters
    ----------
    share
        Of the exact changes across E when the genes at the points are deleted, that these directions shall hold.
    most
        Directions at most; left out, as many as cost half of what deleting every gene would.
    """
    if cell.alone:
        return np.full(cell.n_genes, np.nan, dtype=np.float32)
    most = most or cell.n_genes // (2 * READINGS_OF_DIRECTION * len(cell.points))
    directions = _directions(cell, share=share, most=max(most, FEWEST_DIRECTIONS))
    changes = torch.stack([cell.change_along(direction) for direction in directions])  # (R, n)
    return (changes.square().sum(dim=0) / (2 * cell.embedding.square().sum())).cpu().numpy()


def _directions(cell: Linearized, *, share: float, most: int) -> Tensor:
    """Choose directions across the cell vector, (R, D), R by how much of exact changes they hold."""
    unit = normalize(cell.embedding, dim=0)
    genes = cell.hidden[0, cell.genes]  # (n, D)
    spread, exact = (
        rows - (rows @ unit)[:, None] * unit
        for rows in (genes - genes.mean(dim=0), cell.deleted_at_points() - cell.embedding)
    )
    axes: Tensor = torch.linalg.svd(spread, full_matrices=False)[2]
    held = (exact @ axes.T).square().sum(dim=0).cumsum(dim=0) / exact.square().sum().clamp(min=1e-30)
    needed = int((held < share).sum()) + 1
    return axes[: min(max(needed, FEWEST_DIRECTIONS), most)]
