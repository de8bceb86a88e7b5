r"""In-silico perturbation: how far a cell moves in the model when genes are edited.

Two measures, as published. The *similarity* of a cell to itself after the edit is, for a mean over genes, the mean of
:math:`\cos(h'_g, h_g)` over the genes g that were not perturbed, and for `<cls>` the cosine of its two vectors; 1 = no
effect. The *shift* towards a state s is :math:`\cos(E', S_s) - \cos(E, S_s)` of the cell vectors E; above 0 = nearer.

Only the encoder runs, up to the layer that is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from scviz.errors import OutOfMemoryError, RequestError
from scviz.foundation.batching import TOKENS_PER_BATCH, longest_first
from scviz.foundation.encoding import mean_of_tokens
from scviz.foundation.tokens import Tokens
from scviz.memory import is_out_of_memory
from scviz.models.geneformer.config import CellMode, Layer
from scviz.models.geneformer.edits import Copies, Perturbation
from scviz.models.geneformer.model import Geneformer
from scviz.models.geneformer.network import genes_only
from scviz.progress import Progress, Report, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What is read of a cell before and after an edit."""

    layer: Layer | None = None
    """As the authors count; None = the layer that cells are embedded from."""
    mode: CellMode | None = None
    """Mean over genes, or `<cls>`; None = as cells are embedded."""
    states: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """(D,) the vector of each state that cells may move to."""
    affected: bool = False
    """Also compare each gene that was not perturbed with itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What P edits did to one cell."""

    cell: int
    """Row of the tokens."""
    genes: tuple[tuple[int, ...], ...]
    """(P,) tokens perturbed together in each edit."""
    similarity: NDArray[np.float32]
    """(P,) 1 = no effect; NaN where no gene is left to compare."""
    moved: NDArray[np.float32]
    """(P,) 1 - cos(E', E) of the cell vectors, whatever they are read from; NaN where no gene is left."""
    shifts: Mapping[str, NDArray[np.float32]]
    """(P,) for each state; NaN where no gene is left."""
    affected: NDArray[np.int64] | None = None
    """(P, A) tokens that were not perturbed, where asked for; -1 = none."""
    gene_similarity: NDArray[np.float32] | None = None
    """(P, A) cosine of each of them with itself; NaN where there is none."""


def perturb(
    model: Geneformer,
    tokens: Tokens,
    perturbation: Perturbation,
    readout: Readout | None = None,
    *,
    rows: NDArray[np.integer] | None = None,
    report: Report = silent,
    tokens_per_batch: int = TOKENS_PER_BATCH,
) -> Iterator[Effects]:
    """Perturb cells, the longest first, and give the effects on each cell as soon as they are known.

    Parameters
    ----------
    rows
        Rows of `tokens` that are wanted, such as those that an earlier run did not finish; by default all. Cells that
        the perturbation does not apply to never come.
    report
        Hears of every batch how many edited cells are done, of how many.
    tokens_per_batch
        Tokens of edited cells that are encoded at a time.

    Raises
    ------
    RequestError
        If `<cls>` is asked for and the vocabulary has none.
    OutOfMemoryError
        If one edited cell alone does not fit into memory.
    """
    model.eval()
    reader = _Reader(model, readout or Readout())
    cells = perturbation.applies_to(tokens)
    if rows is not None:
        cells = cells[np.isin(cells, rows)]
    cells = cells[longest_first(tokens.lengths()[cells])]
    counter = _Counter(report, sum(_n_copies(model, tokens, int(cell), perturbation) for cell in cells))
    for group in _groups(model, tokens, cells, perturbation, tokens_per_batch):
        yield from _effects(reader, group, counter, tokens_per_batch)


class _Counter:
    """How many edited cells are done."""

    def __init__(self, report: Report, total: int) -> None:
        self.report, self.total, self.done = report, total, 0

    def add(self, n: int, note: str = "") -> None:
        self.done += n
        self.report(Progress(stage="Perturbing genes", done=self.done, total=self.total, note=note))


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell and its edited copies."""

    row: int
    copies: Copies


def _copies(model: Geneformer, tokens: Tokens, cell: int, perturbation: Perturbation) -> Copies:
    return Copies(
        tokens.gene_ids[cell][tokens.mask[cell]],
        perturbation,
        special_tokens=model.special_tokens,
        max_genes=model.rules.max_genes,
    )


def _n_copies(model: Geneformer, tokens: Tokens, cell: int, perturbation: Perturbation) -> int:
    return len(_copies(model, tokens, cell, perturbation))


def _groups(
    model: Geneformer, tokens: Tokens, cells: NDArray[np.int64], perturbation: Perturbation, size: int
) -> Iterator[list[_Cell]]:
    """Put cells together until their copies fill a batch; a cell with many copies is alone."""
    group: list[_Cell] = []
    held = 0
    for row in cells.tolist():
        copies = _copies(model, tokens, row, perturbation)
        if group and held + len(copies) * copies.length > size:
            yield group
            group, held = [], 0
        group.append(_Cell(row, copies))
        held += len(copies) * copies.length
    if group:
        yield group


def _effects(reader: _Reader, group: list[_Cell], counter: _Counter, size: int) -> Iterator[Effects]:
    """Give the effects on a group of cells."""
    try:
        originals = reader.originals([cell.copies.original for cell in group])
    except (RuntimeError, MemoryError) as error:
        _check_it_was_memory(error, alone=len(group) == 1)
        for half in (group[: len(group) // 2], group[len(group) // 2 :]):
            yield from _effects(reader, half, counter, size)
        return
    asked = [(c, p) for c, cell in enumerate(group) for p in range(len(cell.copies))]
    parts: list[_Part] = []
    start, most = 0, max(1, size // max(1, *(cell.copies.length for cell in group)))
    while start < len(asked):
        try:
            part = reader.read(group, asked[start : start + most], originals)
        except (RuntimeError, MemoryError) as error:
            _check_it_was_memory(error, alone=most == 1)
            most = most // 2
            counter.add(0, f"Memory ran out, so batches are halved to {most} edited cells.")
            continue
        parts.append(part)
        start += most
        counter.add(len(part.similarity))
    bounds = np.cumsum([0, *(len(cell.copies) for cell in group)])
    for cell, begin, end in zip(group, bounds[:-1], bounds[1:], strict=True):
        yield _joined(reader, cell, parts, slice(int(begin), int(end)))


def _check_it_was_memory(error: RuntimeError | MemoryError, *, alone: bool) -> None:
    """Raise an error again unless it says that memory ran out and there is something left to halve."""
    if not is_out_of_memory(error):
        raise error
    if alone:
        raise OutOfMemoryError(
            "One cell alone does not fit into memory.",
            hint="Choose a smaller model, or let the server's owner allow more memory.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read of a batch of B copies."""

    similarity: NDArray[np.float32]
    """(B,)."""
    moved: NDArray[np.float32]
    """(B,)."""
    shifts: NDArray[np.float32]
    """(B, S)."""
    genes: list[tuple[NDArray[np.int64], NDArray[np.float32]]]
    """(B,) affected tokens and their similarity, where asked for."""


def _joined(reader: _Reader, cell: _Cell, parts: list[_Part], where: slice) -> Effects:
    """Take the effects on one cell out of the batches of its group."""
    n = where.stop - where.start
    similarity = np.concatenate([np.empty(0, np.float32), *(part.similarity for part in parts)])[where]
    shifts = np.concatenate([np.empty((0, len(reader.names)), np.float32), *(part.shifts for part in parts)])
    affected = gene_similarity = None
    if reader.affected:
        genes = [gene for part in parts for gene in part.genes][where]
        width = max((len(tokens) for tokens, _ in genes), default=0)
        affected = np.full((n, width), -1, dtype=np.int64)
        gene_similarity = np.full((n, width), np.nan, dtype=np.float32)
        for k, (tokens, values) in enumerate(genes):
            affected[k, : len(tokens)], gene_similarity[k, : len(tokens)] = tokens, values
    return Effects(
        cell=cell.row,
        genes=cell.copies.sets,
        similarity=similarity,
        moved=np.concatenate([np.empty(0, np.float32), *(part.moved for part in parts)])[where],
        shifts={name: shifts[where, k] for k, name in enumerate(reader.names)},
        affected=affected,
        gene_similarity=gene_similarity,
    )


@dataclass(frozen=True, slots=True)
class _Originals:
    """Cells before any edit."""

    genes: Tensor | None
    """(C, L, D) vectors of tokens, of length 1; None where nobody reads them."""
    cells: Tensor
    """(C, D)."""


class _Reader:
    """Encodes cells and compares them."""

    def __init__(self, model: Geneformer, readout: Readout) -> None:
        self.model, self.affected = model, readout.affected
        self.mode = readout.mode or model.cell_mode
        if self.mode == "cls" and not model.special_tokens:
            raise RequestError(
                "This checkpoint has no <cls> token, so cells cannot be read from it.",
                hint="Read the mean over genes.",
            )
        layer = model.config.emb_layer if readout.layer is None else readout.layer
        self.depth = model.config.n_layers + layer
        self.names = tuple(readout.states)
        vectors = np.array([readout.states[name] for name in self.names], dtype=np.float32)
        vectors = vectors.reshape(len(self.names), model.config.width)
        self.states = torch.as_tensor(vectors, device=model.device)  # (S, D)
        self.reads_genes = self.affected or self.mode == "cell"

    def originals(self, sentences: list[NDArray[np.int64]]) -> _Originals:
        """Encode cells as they are."""
        ids, mask = self._padded(sentences)
        with torch.inference_mode():
            hidden = self._hidden(ids, mask)
            genes = normalize(hidden, dim=-1) if self.reads_genes else None
            return _Originals(genes, self._pool(hidden, mask))

    def read(self, group: list[_Cell], asked: list[tuple[int, int]], originals: _Originals) -> _Part:
        """Encode copies and compare each with its original."""
        copies = [group[c].copies[p] for c, p in asked]
        ids, mask = self._padded([copy.tokens for copy in copies])
        of = torch.as_tensor([c for c, _ in asked], device=self.model.device)
        with torch.inference_mode():
            hidden = self._hidden(ids, mask)
            cells = self._pool(hidden, mask)
            before, after = (self._to_states(vectors) for vectors in (originals.cells[of], cells))
            cosines = None
            if originals.genes is not None:
                source, _ = self._padded([copy.source.clip(0) for copy in copies])
                cosines = (hidden * originals.genes[of[:, None], source]).sum(-1)  # (B, L)
                cosines = cosines / hidden.norm(dim=-1).clamp(min=1e-12)
            similarity = unmoved = cosine_similarity(cells, originals.cells[of], dim=1)
            if self.mode == "cell" and cosines is not None:
                compared = torch.zeros_like(mask)
                for row, copy in enumerate(copies):
                    compared[row, : len(copy.compared)] = torch.as_tensor(copy.compared)
                similarity = mean_of_tokens(cosines[..., None], compared)[:, 0]
        return _Part(
            similarity=similarity.cpu().numpy(),
            moved=(1 - unmoved).cpu().numpy(),
            shifts=(after - before).cpu().numpy(),
            genes=self._genes(group, asked, cosines) if self.affected and cosines is not None else [],
        )

    def _genes(
        self, group: list[_Cell], asked: list[tuple[int, int]], cosines: Tensor
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Name the genes that were not perturbed, with their similarity."""
        found = []
        for (c, p), values in zip(asked, cosines.cpu().numpy(), strict=True):
            copies = group[c].copies
            copy, asked_for = copies[p], copies.perturbation
            names, values = copy.tokens[copy.compared], values[: len(copy.tokens)][copy.compared]
            if asked_for.published and asked_for.kind == "overexpress" and asked_for.genes is None:
                names, values = names[1:], values[:-1]
            found.append((names, values))
        return found

    def _to_states(self, cells: Tensor) -> Tensor:
        """Give the cosine of cells with states, (B, S)."""
        return cosine_similarity(cells[:, None], self.states[None], dim=2)

    def _pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        if self.mode == "cls":
            return hidden[:, 0]
        return mean_of_tokens(hidden, genes_only(mask, special_tokens=self.model.special_tokens))

    def _hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.model.network.hidden_state_of_copies(ids, mask, self.depth).float()

    def _padded(self, sentences: list[NDArray[np.int64]]) -> tuple[Tensor, Tensor]:
        """Lay sentences under each other, (B, L), with the mask of what is no padding."""
        lengths = np.array([len(sentence) for sentence in sentences])
        mask = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
        ids = np.full(mask.shape, self.model.config.pad, dtype=np.int64)
        ids[mask] = np.concatenate(sentences) if len(sentences) else []
        device = self.model.device
        return torch.as_tensor(ids, device=device), torch.as_tensor(mask, device=device)
