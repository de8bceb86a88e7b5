"""Cases of Geneformer's in-silico perturbation and of its statistics."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scviz.metrics import in_silico as statistics
from scviz.models.geneformer.edits import Copies, Perturbation
from scviz.models.geneformer.model import Geneformer, state_vector
from tests.goldens import published_in_silico
from tests.goldens.arrays import Expected, load
from tests.goldens.geneformer_effects import Effects, Readout, perturb
from tests.goldens.geneformer_files import published_folder, read_tokens

COSINE = 5e-6  # as the cases allow; a 0.1 % error in one weight matrix shows as 3e-5
STATE = 1e-5


class IspCase:
    """A case of in-silico perturbation, and our effects for each question that its outputs ask."""

    def __init__(self, case: Path, folder: Path) -> None:
        self.model = Geneformer.from_checkpoint(published_folder(case, folder))
        self.inputs, self.expected = load(case / "inputs.npz"), Expected(case)
        self.tokens = read_tokens(self.inputs)
        self.states = self.inputs["state"]
        listed = self.inputs.get("perturb_tokens")
        self.listed = None if listed is None else tuple(listed.tolist())
        self.effects: dict[tuple, dict[int, Effects]] = {}

    def state_vectors(self, layer: int) -> dict[str, NDArray]:
        """Our own vectors of the states, those that the authors also give compared with theirs."""
        cells = self.model.cell_vectors(self.tokens, layer=layer, mode=self.model.cell_mode)
        cells = cells.detach().numpy()
        vectors = {}
        for state in sorted(set(self.states.tolist())):
            vectors[state] = state_vector(cells[self.states == state])
            for name in (f"state_emb/layer{layer}/{state}", f"state_emb/{state}"):
                if name in self.expected:
                    self.expected.close(name, vectors[state], atol=STATE)
        return vectors

    def ours(self, kind: str, layer: int, *, anchor: int | None = None) -> dict[int, Effects]:
        """Perturb every cell, and keep the effects by row."""
        if (kind, layer, anchor) not in self.effects:
            asked = Perturbation(kind=kind, genes=self.listed, anchor=anchor, published=True)
            readout = Readout(layer=layer, states=self.state_vectors(layer), affected=True)
            found = perturb(self.model, self.tokens, asked, readout)
            self.effects[kind, layer, anchor] = {effects.cell: effects for effects in found}
        return self.effects[kind, layer, anchor]

    def copies(self, kind: str, row: int) -> Copies:
        return Copies(
            self.tokens.gene_ids[row][self.tokens.mask[row]],
            Perturbation(kind=kind, genes=self.listed),
            special_tokens=self.model.special_tokens,
            max_genes=self.model.rules.max_genes,
        )


def check_isp(case: Path, folder: Path) -> None:
    isp = IspCase(case, folder)
    for name in [*isp.expected.arrays]:
        what, *rest = name.split("/")
        if name in isp.expected.compared or what == "order":
            continue
        if isp.listed is not None:
            check_list(isp, what, rest)
        else:
            check_every_gene(isp, what, rest)
    if "order" in isp.expected:
        lengths = isp.tokens.lengths()
        assert (np.diff(lengths[isp.expected.take("order")]) <= 0).all()
    isp.expected.all_compared()


def check_every_gene(isp: IspCase, what: str, rest: list[str]) -> None:
    """Compare what the authors give for one cell or one state."""
    expected = isp.expected
    if what == "state_emb":
        isp.state_vectors(int(rest[0].removeprefix("layer")))
    elif what in ("tokens_after", "perturbed_index"):
        kind, row = rest[0], int(rest[1].removeprefix("row"))
        copies = isp.copies(kind, row)
        first = int(isp.model.special_tokens)
        places = [copies.original.tolist().index(gene) for (gene,) in copies.sets]
        theirs = expected.take(f"perturbed_index/{kind}/row{row}")
        assert np.array_equal(theirs, places) or np.array_equal(theirs, np.array(places) - first)
        sentences = expected.take(f"tokens_after/{kind}/row{row}")
        for k, sentence in enumerate(sentences):
            np.testing.assert_array_equal(sentence[sentence != isp.model.config.pad], copies[k].tokens)
    elif what in ("cell_shift", "goal_shift"):
        kind, layer, row = rest[0], int(rest[1].removeprefix("layer")), int(rest[2].removeprefix("row"))
        base = "/".join([what, *rest[:-1]])
        effects = isp.ours(kind, layer)[row]
        values = effects.similarity if what == "cell_shift" else effects.shifts[rest[3]]
        expected.equal(f"{base}/token", [gene for (gene,) in effects.genes])
        expected.close(f"{base}/{'cos' if what == 'cell_shift' else 'shift'}", values, atol=COSINE)
    elif what == "gene_shift":
        kind, row = rest[0], int(rest[1].removeprefix("row"))
        compare_gene_shifts(expected, f"gene_shift/{kind}/row{row}", isp.ours(kind, -1)[row])
    elif what == "anchor":
        compare_anchor(isp)
    else:
        raise AssertionError(f"nothing here compares {what}")


def compare_gene_shifts(expected: Expected, name: str, effects: Effects) -> None:
    """Compare the similarity of each gene with itself, by pair of genes."""
    ours = {
        (gene, int(other)): value
        for (gene,), others, values in zip(
            effects.genes, effects.affected, effects.gene_similarity, strict=True
        )
        for other, value in zip(others, values, strict=True)
        if other >= 0
    }
    pairs = [tuple(pair) for pair in expected.take(f"{name}/pairs").tolist()]
    assert sorted(pairs) == sorted(ours)
    expected.close(f"{name}/cos", [ours[pair] for pair in pairs], atol=COSINE)


def compare_anchor(isp: IspCase) -> None:
    """Compare pairs of the anchor and another gene in one cell."""
    expected = isp.expected
    row, anchor = int(expected.take("anchor/row")), int(expected.take("anchor/token"))
    effects = isp.ours("delete", -1, anchor=anchor)[row]
    expected.equal("anchor/partner_token", [partner for _, partner in effects.genes])
    expected.close("anchor/cos", effects.similarity, atol=COSINE)


def check_list(isp: IspCase, what: str, rest: list[str]) -> None:
    """Compare what the authors give for genes that are perturbed together."""
    expected = isp.expected
    if what == "state_emb":
        isp.state_vectors(-1)
        return
    kind = rest[0]
    if what in ("tokens_after", "tokens_after_rows"):
        rows = expected.take(f"tokens_after_rows/{kind}")
        fitting = Perturbation(kind=kind, genes=isp.listed).applies_to(isp.tokens)
        assert set(rows.tolist()) == set(fitting.tolist())
        for row, sentence in zip(rows.tolist(), expected.take(f"tokens_after/{kind}"), strict=True):
            np.testing.assert_array_equal(
                sentence[sentence != isp.model.config.pad], isp.copies(kind, row)[0].tokens
            )
    elif what in ("cell_shift", "goal_shift"):
        base = "/".join([what, *rest[:-1]])
        rows = expected.take(f"{base}/rows")
        effects = isp.ours(kind, -1)
        wanted = {row for row in effects if what == "cell_shift" or isp.states[row] == "start"}
        assert set(rows.tolist()) == wanted
        values = [
            effects[row].similarity if what == "cell_shift" else effects[row].shifts[rest[1]] for row in rows
        ]
        expected.close(
            f"{base}/{'cos' if what == 'cell_shift' else 'shift'}", np.concatenate(values), atol=COSINE
        )
    else:
        raise AssertionError(f"nothing here compares {what}")


MEANS = 1e-9  # relative; p values and what is made of them 1e-6
P_VALUES = 1e-6


def check_stats(case: Path, folder: Path) -> None:
    """Compare a table, row by row and column by column."""
    config = json.loads((case / "config.json").read_text())
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    ours = table_of(config, inputs)
    if "Impact_component_corrected" in expected:
        corrected, ours = (
            ours.set_index("Gene"),
            statistics.mixture_model(by_gene(inputs, "test"), published=True),
        )
        for column in ("Impact_component", "Impact_component_percent"):
            ours[f"{column}_corrected"] = corrected.loc[ours["Gene"], column].to_numpy()
    if config["mode"] == "aggregate_data":
        ours = ours.sort_values("Cosine_sim")
        ours["Gene"] = Names(case).symbols(ours["Gene"])
    elif "Gene_name" in expected:
        ours = Names(case).added_to(ours)
    assert set(ours.columns) == set(expected.arrays)
    assert list(ours.columns) == pd.read_csv(case / "outputs.csv", nrows=0).columns.tolist()
    ours = in_their_order(ours, expected, config["mode"])
    for column in ours.columns:
        values = ours[column].to_numpy()
        if column in ("Gene", "Gene_name", "Perturbed") or "ffected" in column or "Ensembl" in column:
            expected.equal(column, values.astype(str))
        else:
            tolerance = P_VALUES if "pval" in column or "FDR" in column else MEANS
            expected.close(column, values.astype(float), atol=1e-300, rtol=tolerance)
    expected.all_compared()


def table_of(config: dict, inputs: dict[str, NDArray]) -> pd.DataFrame:
    """Make the table that a case asks for."""
    mode, states = config["mode"], config.get("cell_states_to_model")
    if mode == "goal_state_shift":
        shifts = {group: by_gene(inputs, group) for group in {key.split("/")[0] for key in inputs}}
        asked = states["goal_state"], states["alt_states"]
        if config["genes_perturbed"] == "all":
            return statistics.goal_state_shift(shifts, *asked)
        return statistics.group_shift(shifts, *asked)
    if mode == "vs_null":
        return published_in_silico.vs_null(by_gene(inputs, "test"), by_gene(inputs, "null"))
    if mode == "mixture_model":
        return statistics.mixture_model(by_gene(inputs, "test"))
    if mode == "aggregate_data":
        return statistics.aggregate_data(by_gene(inputs, "test"))
    assert mode == "aggregate_gene_shifts"
    pairs, offset = inputs["pairs"].tolist(), inputs["offset"]
    return published_in_silico.aggregate_gene_shifts(
        {
            tuple(pair): inputs["value"][start:stop]
            for pair, start, stop in zip(pairs, offset[:-1], offset[1:], strict=True)
        }
    )


def by_gene(inputs: dict[str, NDArray], group: str) -> dict[int | tuple[int, ...], NDArray]:
    """Cut the values of a group into those of each gene."""
    offset, values = inputs[f"{group}/offset"], inputs[f"{group}/value"]
    genes = [tuple(gene) if isinstance(gene, list) else gene for gene in inputs[f"{group}/token"].tolist()]
    return {gene: values[offset[i] : offset[i + 1]] for i, gene in enumerate(genes)}


SORT_KEYS = {
    "goal_state_shift": ("Sig", "Shift_to_goal_end", "Goal_end_FDR"),
    "vs_null": ("Sig", "Test_vs_null_avg_shift", "Test_vs_null_FDR"),
    "mixture_model": ("Impact_component", "Test_avg_shift"),
    "aggregate_gene_shifts": ("Cosine_sim_mean",),
}


def in_their_order(ours: pd.DataFrame, expected: Expected, mode: str) -> pd.DataFrame:
    """Keep our order, and exchange only rows whose sort keys are equal."""
    names = [column for column in ("Gene", "Perturbed", "Affected") if column in ours]
    if mode not in SORT_KEYS or not names:
        return ours
    theirs = list(zip(*(expected.arrays[name].tolist() for name in names), strict=True))
    at = {row: i for i, row in enumerate(zip(*(ours[name].astype(str) for name in names), strict=True))}
    assert sorted(at) == sorted(theirs)
    order = [at[row] for row in theirs]
    moved = [i for i, place in enumerate(order) if i != place]
    for key in SORT_KEYS[mode]:
        values = ours[key].to_numpy(dtype=float)
        np.testing.assert_allclose(values[moved], values[[order[i] for i in moved]], rtol=1e-12)
    return ours.iloc[order]


class Names:
    """Symbols and Ensembl ids of tokens."""

    def __init__(self, case: Path) -> None:
        tokens = json.loads((case / "token_dictionary.json").read_text())
        self.ids = {str(token): name for name, token in tokens.items()}
        named = json.loads((case / "gene_name_id_dict.json").read_text())
        self.of_id = {gene: symbol for symbol, gene in named.items()}

    def ensembl(self, tokens: pd.Series) -> list[str]:
        return [self.ids.get(str(token), "nan") for token in tokens]

    def symbols(self, tokens: pd.Series) -> list[str]:
        return [self.of_id.get(gene, "nan") for gene in self.ensembl(tokens)]

    def added_to(self, table: pd.DataFrame) -> pd.DataFrame:
        table = table.copy()
        for column, prefix in (("Gene", ""), ("Perturbed", ""), ("Affected", "Affected_")):
            if column in table:
                place = table.columns.get_loc(column) + 1
                table.insert(
                    place,
                    f"{prefix}Gene_name".replace("Affected_G", "Affected_g"),
                    self.symbols(table[column]),
                )
                table.insert(place + 1, f"{prefix}Ensembl_ID", self.ensembl(table[column]))
        return table
