"""Cases of scGPT's tokens: bins, preprocessing, collators; and the random streams of the authors' code."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from scviz.foundation.vocab import GeneVocab
from scviz.models.scgpt.binning import SeededDraws, bin_values, digitize, quantile_edges
from scviz.models.scgpt.pretraining import GENERATED, hide_values, split
from scviz.models.scgpt.tokenizer import BinRules, Cell, bin_cell, collate, join
from tests.goldens.arrays import Expected, load
from tests.goldens.scgpt_preprocessing import preprocess

FLOATS = 1e-6


class StreamDraws:
    """Chance from the streams that the authors' code draws from, in its order."""

    def __init__(self, numpy_seed: int, torch_seed: int = 0) -> None:
        self.numpy = np.random.RandomState(numpy_seed)  # the stream that the authors use
        self.torch = torch.Generator().manual_seed(torch_seed)

    def ties(self, gene_ids: NDArray, values: NDArray) -> NDArray:
        return self.numpy.rand(len(values))

    def sample(self, gene_ids: NDArray, values: NDArray, n: int) -> NDArray:
        return self.permute(len(values))[:n]

    def permute(self, n: int) -> NDArray:
        return torch.randperm(n, generator=self.torch).numpy()


class ChoiceDraws(StreamDraws):
    """Chance of the fine-tuning path, which samples with numpy."""

    def sample(self, gene_ids: NDArray, values: NDArray, n: int) -> NDArray:
        return self.numpy.choice(len(values), n, replace=False)


def read_config(case: Path) -> dict:
    return json.loads((case / "config.json").read_text())


def check_binning(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    for row, n_bins in enumerate(inputs["n_bins"].tolist()):
        values = inputs[f"row_{row:02}"]
        expressed = values[values != 0]
        draws = StreamDraws(config["numpy_seed"] + row).ties(expressed, expressed)
        bins = bin_values(values, n_bins, draws)
        expected.equal(f"bins_{row:02}", bins)
        if f"torch_error_{row:02}" in expected:  # the authors' code for tensors fails; these are zeros
            expected.take(f"torch_error_{row:02}")
            assert not bins.any()
            continue
        expected.equal(f"bins_torch_{row:02}", bins)
        edges = quantile_edges(expressed, n_bins)
        expected.equal(f"edges_{row:02}", edges)
        highest = bin_values(values, n_bins)
        expected.equal(f"one_side_nonzero_{row:02}", highest[values != 0])
        lowest = digitize(expressed, edges, np.full(len(expressed), 1 - 1e-12))
        expected.equal(f"low_nonzero_{row:02}", lowest)
        ours = SeededDraws(row).ties(np.arange(len(expressed)), expressed)
        seeded = bin_values(values, n_bins, ours)
        assert (seeded[values != 0] >= lowest).all()
        assert (seeded <= highest).all()
    expected.all_compared()


def check_preprocessor(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    asked = config["preprocessor"]
    assert not asked["subset_hvg"], "choosing genes is not a part of this"
    least_gene, least_cell = asked["filter_gene_by_counts"], asked["filter_cell_by_counts"]
    total = asked["normalize_total"]
    done = preprocess(
        inputs["counts"],
        n_bins=asked["binning"],
        min_counts_of_gene=least_gene or 0,
        min_counts_of_cell=least_cell or 0,
        # the authors take a whole number for "yes", not for a sum
        target_sum=None
        if total is False or total is None
        else total
        if isinstance(total, float)
        else "median",
        log1p=asked["log1p"],
        draws=StreamDraws(config["numpy_seed"]),
    )
    expected.equal("kept_genes", done.genes)
    expected.equal("kept_cells", done.cells)
    for name in ("X_normed", "X_log1p"):  # the authors' log changes both
        if name in expected:
            expected.close(name, done.expression, atol=FLOATS, rtol=FLOATS)
    expected.equal("X_binned", done.bins)
    expected.close("bin_edges", done.edges, atol=FLOATS, rtol=FLOATS)
    expected.all_compared()


def read_examples(inputs: dict[str, NDArray], n: int) -> list[Cell]:
    """Read the cells of a collator; each begins with `<cls>`."""
    return [Cell(inputs[f"genes_{i}"], inputs[f"expr_{i}"]) for i in range(n)]


def collator_parts(case: Path) -> tuple[dict, list[Cell], BinRules, GeneVocab]:
    config = read_config(case)
    asked = config["collator"]
    cells = read_examples(load(case / "inputs.npz"), config["n_examples"])
    rules = BinRules(
        max_length=asked["max_length"],
        n_bins=51 if asked["do_binning"] else None,
        cls_value=float(cells[0].values[0]),
        pad_value=asked["pad_value"],
    )
    special = {"<pad>": asked["pad_token_id"], "<cls>": int(cells[0].gene_ids[0])}
    vocab = GeneVocab(genes=(), ids=np.empty(0, dtype=np.int64), special=special, kind="symbol")
    return config, cells, rules, vocab


def check_collator(case: Path, folder: Path) -> None:
    config, cells, rules, vocab = collator_parts(case)
    asked, expected = config["collator"], Expected(case)
    draws = StreamDraws(config["numpy_seed"], config["torch_seed"])
    rules = dataclasses.replace(rules, ties="random")
    tokens = collate([cell.take(slice(1, None)) for cell in cells], vocab=vocab, rules=rules, draws=draws)
    expected.equal("gene", tokens.gene_ids)
    expected.equal("expr", tokens.values)
    shown = torch.as_tensor(tokens.values)
    if asked["do_mlm"]:
        may = torch.as_tensor(tokens.mask).clone()
        may[:, : asked["keep_first_n_tokens"]] = False
        shown = hide_values(
            shown,
            may,
            share=asked["mlm_probability"],
            mask_value=asked["mask_value"],
            generator=draws.torch,
        )
    expected.equal("masked_expr", shown)
    expected.all_compared()


def check_pretrain_collator(case: Path, folder: Path) -> None:
    config, cells, rules, vocab = collator_parts(case)
    expected = Expected(case)
    draws = StreamDraws(config["numpy_seed"], config["torch_seed"])
    share = draws.numpy.choice(config["collator"]["mlm_probability"])
    assert share in GENERATED
    binned = [join(cell.take(slice(1)), bin_cell(cell.take(slice(1, None)), rules, draws)) for cell in cells]
    parts = split(binned, vocab, rules, share=share, permute=draws.permute)
    expected.equal("pcpt_gene", parts.known.gene_ids)
    expected.equal("pcpt_expr", parts.known.values)
    expected.equal("gen_gene", parts.generated.gene_ids)
    expected.equal("gen_expr_target", parts.generated.values)
    expected.all_compared()


CHECKS = {
    "binning": check_binning,
    "preprocessor": check_preprocessor,
    "collator": check_collator,
    "pretrain_collator": check_pretrain_collator,
}
