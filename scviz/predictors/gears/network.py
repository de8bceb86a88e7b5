r"""The network of GEARS.

Every gene has a vector, smoothed over genes that are expressed together, and every perturbation the sum of vectors of
its genes, smoothed over genes that share terms. Their sum passes two layers to a number for each gene, w; a second
step sees the w of all genes, and what comes out is added to the control cell's expression.

All of this but the last addition depends on the perturbation and not on the cell. So the network runs once for each
perturbation of a batch, and normalization over the batch counts a perturbation as often as it has cells.

References
----------
Roohani et al. (2024), doi:10.1038/s41587-023-01905-6. Names of weights are those of the published code.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor, nn

from scviz.predictors.gears.fused_layers import recover
from scviz.predictors.gears.graphs import GeneGraph
from scviz.predictors.gears.normalization import normalized, remember, running

POSITION_SHARE = 0.2
"""Weight of the smoothed part of a gene's vector."""
NOBODY = -1
"""Fills places of perturbations with fewer genes than others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a network is made of."""

    hidden: int = 64
    ge_layers: int = 1
    """Steps over the graph of expression."""
    go_layers: int = 1
    """Steps over the graph of terms."""
    uncertainty: bool = False
    """Also give a log variance for each gene."""
    published: bool = False
    """Smooth gene vectors over the graph in the first cell of a batch only, as the published code does."""
    context: Literal["", "v1", "v2"] = ""
    """Vectors of genes that come from outside, with each cell: "" none, "v1" the first part, "v2" also what
    is smoothed."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the network says of cells."""

    expression: Tensor
    """(B, G) log1p; may be below 0."""
    log_variance: Tensor | None
    """(B, G) where the network gives one."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the network runs on: a perturbation with gene vectors, for one cell or for several."""

    base: Tensor
    """(R,) which gene vectors."""
    genes: Tensor
    """(R, K) perturbed genes, NOBODY where there are fewer."""
    copies: Tensor
    """(R,) cells that each stands for, float."""


class MLP(nn.Module):
    """Linear layers, each normalized over the batch, with ReLU between."""

    def __init__(self, *widths: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])

    def forward(self, rows: Tensor, copies: Tensor) -> Tensor:
        """Give (R, M, F') of (R, M, F); `copies` as in `normalized`."""
        for layer in self.network:
            rows = normalized(layer, rows, copies) if isinstance(layer, nn.BatchNorm1d) else layer(rows)
        return rows


class GraphLayer(nn.Module):
    """One step over a graph, then linear."""

    matrix: Tensor

    def __init__(self, width: int, matrix: Tensor) -> None:
        super().__init__()
        self.lin = nn.Linear(width, width)
        self.register_buffer("matrix", matrix, persistent=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """Give (G, D) of (G, D)."""
        return cast(Tensor, self.lin(torch.sparse.mm(self.matrix, vectors)))


class Network(nn.Module):
    """All of GEARS."""

    def __init__(self, shape: Shape, coexpression: GeneGraph, terms: GeneGraph) -> None:
        super().__init__()
        self.shape, width, n_genes = shape, shape.hidden, coexpression.n_genes
        self.n_genes = n_genes
        self.pert_w = nn.Linear(1, width)  # published and unused, as is bn_pert_base_trans
        if not shape.context:
            self.gene_emb = nn.Embedding(n_genes, width, max_norm=1.0)
        self.pert_emb = nn.Embedding(terms.n_genes, width, max_norm=1.0)
        self.emb_trans_v2 = MLP(width, width, width)
        self.pert_fuse = MLP(width, width, width)
        if shape.context != "v2":
            self.emb_pos = nn.Embedding(n_genes, width, max_norm=1.0)
        near, alike = smoothing(coexpression), smoothing(terms)
        self.layers_emb_pos = nn.ModuleList(GraphLayer(width, near) for _ in range(shape.ge_layers))
        self.sim_layers = nn.ModuleList(GraphLayer(width, alike) for _ in range(shape.go_layers))
        self.recovery_w = MLP(width, 2 * width, width)
        self.indv_w1 = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_genes, width, 1)))
        self.indv_b1 = nn.Parameter(nn.init.xavier_normal_(torch.empty(n_genes, 1)))
        self.cross_gene_state = MLP(n_genes, width, width)
        self.indv_w2 = nn.Parameter(nn.init.xavier_normal_(torch.empty(1, n_genes, width + 1)))
        self.indv_b2 = nn.Parameter(nn.init.xavier_normal_(torch.empty(1, n_genes)))
        self.bn_emb = nn.BatchNorm1d(width)
        self.bn_pert_base = nn.BatchNorm1d(width)
        self.bn_pert_base_trans = nn.BatchNorm1d(width)
        if shape.uncertainty:
            self.uncertainty_w = MLP(width, 2 * width, width, 1)

    def forward(self, control: Tensor, perturbed: Tensor, context: Tensor | None = None) -> Predicted:
        """Predict cells.

        Parameters
        ----------
        control
            (B, G) log1p expression of a control cell for each.
        perturbed
            (B, K) numbers of the perturbed genes, NOBODY in places that are left over.
        context
            (B, G, D) vectors of genes from outside, where the shape asks for them.
        """
        with torch.autocast(control.device.type, enabled=False):  # fourth powers of small differences
            cells = torch.arange(len(control), device=control.device)
            base_of = cells if context is not None else cells.clamp(max=1) * self.shape.published
            keys = torch.cat([base_of[:, None], perturbed.sort(dim=1).values], dim=1)
            rows, place, copies = keys.unique(  # type: ignore[no-untyped-call]
                dim=0, return_inverse=True, return_counts=True
            )
            base = self.base(base_of.bincount().float(), context)
            found = self.changes(base, Rows(rows[:, 0], rows[:, 1:], copies.float()))
            spread = None if found.log_variance is None else found.log_variance[place]
            return Predicted(control + found.expression[place], spread)

    def base(self, copies: Tensor, context: Tensor | None = None) -> Tensor:
        """Give the vectors of genes before any perturbation, (C, G, D).

        Parameters
        ----------
        copies
            (C,) cells that each set of vectors stands for. Without a context C is 1, or 2 where the first cell
            of a batch differs from the others.
        """
        n_sets = len(copies)
        every = torch.arange(self.n_genes, device=copies.device)
        if context is None:
            first = self.gene_emb(every)[None]  # (1, G, D)
            first = normalized(self.bn_emb, first, copies.sum()[None]).relu()
        else:
            first = normalized(self.bn_emb, context, copies).relu()
        read = context if self.shape.context == "v2" else self.emb_pos(every)[None]
        joined = first + POSITION_SHARE * self._positions(cast(Tensor, read), n_sets)
        return cast(Tensor, self.emb_trans_v2(joined, copies))

    def changes(self, base: Tensor, rows: Rows) -> Predicted:
        """Give what is added to the control expression, (R, G)."""
        shift = self._shifts(rows)
        gene, cell = self._normalized_sum(base, shift, rows)
        readout = self.indv_w1[..., 0]
        w = recover(self.recovery_w.network, gene, cell, base=rows.base, copies=rows.copies, readout=readout)
        w = w + self.indv_b1[:, 0]  # (R, G)
        state = self.cross_gene_state(w[:, None], rows.copies)[:, 0]  # (R, D)
        change = w * self.indv_w2[0, :, 0] + state @ self.indv_w2[0, :, 1:].T + self.indv_b2
        if not self.shape.uncertainty:
            return Predicted(change, None)
        hidden = (gene[rows.base] + cell[:, None]).relu()
        return Predicted(change, self.uncertainty_w(hidden, rows.copies)[..., 0])

    def _positions(self, vectors: Tensor, n_sets: int) -> Tensor:
        """Smooth over genes that are expressed together, (1, G, D) or (C, G, D)."""
        smoothed = [self._smoothed(one) for one in (vectors[:1] if self.shape.published else vectors)]
        if self.shape.published and n_sets > 1:
            rest = vectors.expand(n_sets, -1, -1)[1:]
            for i, layer in enumerate(self.layers_emb_pos):
                rest = cast(GraphLayer, layer).lin(rest.relu() if i else rest)
            smoothed += list(rest)
        return torch.stack(smoothed)

    def _smoothed(self, vectors: Tensor) -> Tensor:
        """Take all steps over the graph of expression, (G, D)."""
        for i, layer in enumerate(self.layers_emb_pos):
            vectors = layer(vectors.relu() if i else vectors)
        return vectors

    def _shifts(self, rows: Rows) -> Tensor:
        """Give the vector of each perturbation, (R, D); 0 for control."""
        vectors: Tensor = self.pert_emb(torch.arange(self.pert_emb.num_embeddings, device=rows.genes.device))
        for i, layer in enumerate(self.sim_layers):
            vectors = layer(vectors.relu() if i else vectors)
        real = rows.genes >= 0
        sums = (vectors[rows.genes.clamp(min=0)] * real[..., None]).sum(dim=1)
        some = torch.nonzero(real.any(dim=1))[:, 0]
        shifts = sums.new_zeros(sums.shape)
        if not len(some):
            return shifts
        copies = rows.copies[some]
        if copies.sum() == 1:
            copies = copies * 2  # as published: one cell alone cannot be normalized over the batch
        return shifts.index_put((some,), self.pert_fuse(sums[some][:, None], copies)[:, 0])

    def _normalized_sum(self, base: Tensor, shift: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """Normalize base + shift without making it: give what is left of both, (C, G, D) and (R, D)."""
        layer = self.bn_pert_base
        if layer.training:
            share = (rows.copies / rows.copies.sum())[:, None]
            centre = base.mean(dim=1)  # (C, D)
            spread = (base - centre[:, None]).square().mean(dim=1)
            means = centre[rows.base] + shift  # (R, D)
            mean = (share * means).sum(dim=0)
            variance = (share * (spread[rows.base] + (means - mean).square())).sum(dim=0)
            remember(layer, mean=mean, variance=variance, n_cells=float(rows.copies.sum()) * base.shape[1])
        else:
            mean, variance = running(layer)
        scale = layer.weight * (variance + layer.eps).rsqrt()
        return base * scale, (shift - mean) * scale + layer.bias


def smoothing(graph: GeneGraph) -> Tensor:
    """Turn a graph into a sparse matrix, (G, G): each gene the sum of what it listens to.

    Genes without an arrow to themselves get one of weight 1; an arrow from s to t is divided by the root of what
    comes in at s and at t.
    """
    source, target = torch.as_tensor(graph.source), torch.as_tensor(graph.target)
    weight = torch.as_tensor(graph.weight, dtype=torch.float32)
    alone = torch.ones(graph.n_genes, dtype=torch.bool)
    alone[source[source == target]] = False
    own = torch.nonzero(alone)[:, 0]
    source, target = torch.cat([source, own]), torch.cat([target, own])
    weight = torch.cat([weight, torch.ones(len(own))])
    comes_in = torch.zeros(graph.n_genes).index_add(0, target, weight)
    root = torch.where(comes_in > 0, comes_in.rsqrt(), 0.0)
    places = torch.stack([target, source])
    matrix = torch.sparse_coo_tensor(
        places, root[source] * weight * root[target], (graph.n_genes,) * 2, check_invariants=False
    )
    return matrix.coalesce()
