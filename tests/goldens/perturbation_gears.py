"""Cases of perturbation screens: gears."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from scviz.predictors.gears.graphs import GeneGraph, coexpression_graph, term_graph
from scviz.predictors.gears.loss import gears_loss
from scviz.predictors.gears.network import NOBODY, Network, Predicted, Shape
from tests.goldens.arrays import load

EVALUATED = 5e-6
TRAINED = 1e-4  # means over a batch, summed in another order
LOSS = 1e-6
WEIGHTS = 1e-5  # correlations, which the authors compute in single precision


def check_graphs(folder: Path) -> None:
    expected = json.loads(file_of(folder, "graphs_expected.json").read_text())
    terms = {gene: frozenset(found) for gene, found in expected["gene2go"].items()}
    genes = sorted(terms)
    whole = term_graph(terms, genes, n_neighbors=len(genes))
    compare(whole, [[genes.index(a), genes.index(b), weight] for a, b, weight in expected["jaccard_edges"]])
    cells = load(file_of(folder, "dataset.npz"))
    learned = ["ctrl", *(name for name in cells["train"].tolist() if "ctrl" in name.split("+"))]
    expression = sp.csr_matrix(cells["X"][np.isin(cells["condition"], learned)])
    named = [name for name in expected if name.startswith(("go_k", "coexpress_thr"))]
    assert named, "no graph is here to compare with"
    for name in named:
        n_neighbors = int(name.rsplit("k", 1)[1])
        if name.startswith("go_"):
            ours = term_graph(terms, genes, n_neighbors=n_neighbors)
        else:
            least = float(name.split("_")[1].removeprefix("thr"))
            ours = coexpression_graph(expression, n_neighbors=n_neighbors, least=least)
        theirs = expected[name]
        compare(ours, list(zip(*theirs["edge_index"], theirs["edge_weight"], strict=True)))


def compare(graph: GeneGraph, edges: list) -> None:
    """Compare arrows, in any order."""
    ours = dict(
        zip(zip(graph.source.tolist(), graph.target.tolist(), strict=True), graph.weight, strict=True)
    )
    theirs = {(a, b): weight for a, b, weight in edges}
    assert ours.keys() == theirs.keys()
    np.testing.assert_allclose([ours[edge] for edge in theirs], list(theirs.values()), atol=WEIGHTS)


def check_loss(folder: Path) -> None:
    case = load(file_of(folder, "gears_loss.npz"))
    names, kinds = np.unique(case["perts"], return_inverse=True)
    expressed = np.ones((len(names), case["pred"].shape[1]), dtype=bool)
    for row, name in enumerate(names):
        if f"filter_{name.removesuffix('+ctrl').replace('+', '')}" in case:
            expressed[row] = False
            expressed[row, case[f"filter_{name.removesuffix('+ctrl').replace('+', '')}"]] = True
    assert (~expressed).any(axis=1).sum() == sum(key.startswith("filter_") for key in case)
    named = [key for key in case if key.startswith(("loss_lambda", "unc_lambda"))]
    assert named, "no loss is here to compare with"
    for key in named:
        predicted, spread = (torch.tensor(case[part], requires_grad=True) for part in ("pred", "logvar"))
        numbers = key.replace("unc_lambda_", "").replace("loss_lambda_", "").split("_reg_")
        loss = gears_loss(
            predicted,
            torch.tensor(case["y"]),
            torch.tensor(case["ctrl"]),
            kinds=torch.tensor(kinds),
            expressed=torch.tensor(expressed[kinds]),
            direction=float(numbers[0]),
            log_variance=spread if len(numbers) > 1 else None,
            regularization=float(numbers[-1]),
        )
        loss.backward()
        np.testing.assert_allclose(loss.item(), case[key], rtol=LOSS)
        after = "_".join(numbers)
        if len(numbers) > 1:
            np.testing.assert_allclose(predicted.grad, case[f"unc_gradpred_{after}"], atol=LOSS)
            np.testing.assert_allclose(spread.grad, case[f"unc_gradlogvar_{after}"], atol=LOSS)
        else:
            np.testing.assert_allclose(predicted.grad, case[f"grad_lambda_{after}"], atol=LOSS)


def published_networks(folder: Path) -> Iterator[tuple[Network, dict[str, NDArray]]]:
    """Read each published network of a folder with what it was asked and gave."""
    paths = sorted(folder.glob("gears_*.safetensors"))
    if not paths:
        pytest.skip("no network of GEARS is here")
    for path in paths:
        sizes, arrays = json.loads(path.with_suffix(".json").read_text()), load(path.with_suffix(".npz"))
        shape = Shape(
            hidden=sizes["hidden_size"],
            ge_layers=sizes["num_gene_gnn_layers"],
            go_layers=sizes["num_go_gnn_layers"],
            uncertainty=sizes["uncertainty"],
            published=True,
        )
        graphs = [
            graph_of(arrays, "coexpress", sizes["num_genes"]),
            graph_of(arrays, "go", sizes["num_perts"]),
        ]
        network = Network(shape, *graphs)
        network.load_state_dict(load_file(path), strict=True)
        yield network, arrays


def graph_of(arrays: dict[str, NDArray], name: str, n_genes: int) -> GeneGraph:
    source, target = arrays[f"{name}_edge_index"]
    return GeneGraph(n_genes=n_genes, source=source, target=target, weight=arrays[f"{name}_edge_weight"])


def predicted(network: Network, x: NDArray, perturbed: NDArray) -> Predicted:
    genes = np.where(perturbed < 0, NOBODY, perturbed)
    with torch.no_grad():
        return network(torch.tensor(x), torch.tensor(genes))


def check_network_evaluated(folder: Path) -> None:
    for network, case in published_networks(folder):
        network.eval()
        found = predicted(network, case["x"], case["pert_idx"])
        close(found.expression, case["eval_out"], EVALUATED)
        if "eval_logvar" in case:
            close(found.log_variance, case["eval_logvar"], EVALUATED)
        close(network.gene_emb.weight.detach(), case["gene_emb_after_forward"], EVALUATED)
        one = predicted(network, case["x"][:1], case["pert_idx"][:1])
        close(one.expression, case["single_eval_out"], EVALUATED)
        controls = case["x"][(case["pert_idx"] < 0).all(axis=1)]
        found = predicted(network, controls, np.full((len(controls), 1), NOBODY))
        close(found.expression, case["all_ctrl_eval_out"], EVALUATED)


def check_network_trained(folder: Path) -> None:
    for network, case in published_networks(folder):
        network.train()
        found = predicted(network, case["x"], case["pert_idx"])
        close(found.expression, case["train_out"], TRAINED)
        if "train_logvar" in case:
            close(found.log_variance, case["train_logvar"], TRAINED)
        perturbed = case["pert_idx"][:3].copy()
        perturbed[1:] = NOBODY
        one = predicted(network, case["x"][:3], perturbed)
        close(one.expression, case["one_perturbed_train_out"], TRAINED)


def close(ours: torch.Tensor, theirs: NDArray, tolerance: float) -> None:
    np.testing.assert_allclose(ours, theirs, atol=tolerance)


def file_of(folder: Path, name: str) -> Path:
    """Return a file of the case, or skip by its name."""
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not here")
    return folder / name


CHECKS: dict[str, Callable[[Path], None]] = {
    "graphs": check_graphs,
    "gears_loss": check_loss,
    "gears_evaluated": check_network_evaluated,
    "gears_trained": check_network_trained,
}
