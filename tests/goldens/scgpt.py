"""Cases of scGPT: embeddings, annotation, losses, pre-training, perturbation; tokens have their own file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from anndata import AnnData
from numpy.typing import NDArray
from safetensors.torch import load_file

from scviz.foundation.classifier import CellTypeClassifier
from scviz.foundation.tokens import Tokens
from scviz.metrics.differential import TOP_DE
from scviz.models.scgpt.attention import weights
from scviz.models.scgpt.checkpoint import published_vocab
from scviz.models.scgpt.config import Config
from scviz.models.scgpt.model import ScGPT
from scviz.models.scgpt.perturbation import Generator
from scviz.models.scgpt.pretraining import (
    ECS_THRESHOLD,
    SplitCells,
    elastic_similarity,
    expressed_loss,
    hide_share,
    masked_mse,
    masked_relative_error,
)
from scviz.models.scgpt.tokenizer import (
    BinRules,
    collate,
    column_tokens,
    known_genes,
    read_cells,
    tokenize,
)
from scviz.networks.attention import AttentionSum, influence, ranked_attention, top_targets
from scviz.networks.similarity import cosines, most_similar, threshold_graph
from tests.goldens import scgpt_tokens
from tests.goldens.arrays import Expected, load
from tests.goldens.perturbation_published import group_cells, scgpt_scores
from tests.goldens.scgpt_tokens import FLOATS, ChoiceDraws, StreamDraws, read_config

VECTORS = 5e-5  # the authors' own runs differ by up to 8e-6 between machines
EMBEDDING = 5e-5
SIMILARITY = 1e-5
RAW_SCORES, SHARES = 2e-4, 2e-5  # what other kernels change in attention

SIZES = {
    "d_model": "embsize",
    "nhead": "nheads",
    "d_hid": "d_hid",
    "nlayers": "nlayers",
    "nlayers_cls": "n_layers_cls",
    "dropout": "dropout",
    "pad_value": "pad_value",
}
"""What `args.json` calls the arguments of the authors' class."""


def published_folder(case: Path, folder: Path) -> Path:
    """Lay the files of a case out as a published checkpoint."""
    config = read_config(case)
    args = config.get("args_json")
    if args is None:
        model = config["model"]
        args = {theirs: model[name] for name, theirs in SIZES.items()}
        args["cell_emb_style"] = model.get("cell_emb_style", "cls")
    (folder / "args.json").write_text(json.dumps(args))
    (folder / "vocab.json").write_text(json.dumps(config.get("vocab_json") or config["vocab"]))
    torch.save(load_file(case / "weights.safetensors"), folder / "best_model.pt")
    return folder


def read_tokens(inputs: dict[str, NDArray]) -> Tokens:
    return Tokens(
        gene_ids=inputs["gene_ids"],
        values=inputs["values"].astype(np.float32),
        mask=~inputs["padding_mask"],
    )


def check_encoder(case: Path, folder: Path) -> None:
    config = read_config(case)
    model, expected = ScGPT.from_checkpoint(published_folder(case, folder)), Expected(case)
    inputs = load(case / "inputs.npz")
    tokens = read_tokens(inputs)
    gene_ids, values, mask = (torch.as_tensor(a) for a in (tokens.gene_ids, tokens.values, tokens.mask))
    labels = torch.as_tensor(inputs["batch_labels"]) if "batch_labels" in inputs else None
    network, real = model.network, tokens.mask
    # the authors normalize all cells by the domain of the first
    domains = None if labels is None else labels[:1].expand(len(labels))

    def compare(name: str, ours: torch.Tensor) -> None:
        if name in expected:
            np.testing.assert_allclose(ours[real], expected.take(name)[real], atol=VECTORS, err_msg=name)

    with torch.no_grad():
        hidden = network(gene_ids, values, mask, domains)
        cells = network.cells(hidden, values, torch.ones_like(mask))  # the authors pool padding, too
        genes = network.encoder(gene_ids)
        decoded, decoded_cells = (network.decoded_with(v, labels) for v in (hidden, cells))
        compare("transformer_output", hidden)
        compare("transformer_output_fastpath", hidden)
        compare("gene_token_embedding", genes)
        compare("mlm_output", network.decoder(decoded))
        compare("mvc_output", network.mvc_decoder(genes, decoded_cells))
        if "mlm_zero_probs" in expected:
            compare("mlm_zero_probs", network.decoder.expressed(decoded))
        if "mvc_zero_probs" in expected:
            compare("mvc_zero_probs", network.mvc_decoder.expressed(genes, decoded_cells))
        expected.close("cell_emb", cells, atol=VECTORS)
        if "loss_ecs" in expected:
            asked = config["model"].get("ecs_threshold", ECS_THRESHOLD)
            expected.close("loss_ecs", elastic_similarity(cells, threshold=asked), atol=VECTORS)
        if "dab_output" in expected:
            expected.close("dab_output", network.domain_scores(cells), atol=VECTORS)
        if "cls_output" in expected:
            head = CellTypeClassifier.load(folder, ScGPT).head
            expected.close("cls_output", head(cells), atol=VECTORS)
        check_contract(model, tokens, hidden, domains)
    expected.all_compared()


def check_contract(model: ScGPT, tokens: Tokens, hidden: torch.Tensor, domains: torch.Tensor | None) -> None:
    """Compare what the model gives to others with the network's own numbers."""
    encoding = model(tokens, domains)
    np.testing.assert_allclose(encoding.tokens[tokens.mask], hidden[tokens.mask], atol=VECTORS)
    if domains is None and model.config.cell_pool == "cls":
        wanted = hidden[:, 0] / hidden[:, 0].norm(dim=1, keepdim=True)
        np.testing.assert_allclose(model.encode_cells(tokens), wanted, atol=VECTORS)
        np.testing.assert_allclose(encoding.cells, wanted, atol=VECTORS)


def check_annotation(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    classifier = CellTypeClassifier.load(published_folder(case, folder), ScGPT)
    model = classifier.encoder
    rules = BinRules(
        max_length=config["max_seq_len"],
        n_bins=None,
        cls_value=0,
        pad_value=config["model"]["pad_value"],
        include_zeros=config["include_zero_gene"],
        published=True,
    )
    draws = ChoiceDraws(config["numpy_seed"])
    tokens = tokenize(inputs["binned"], inputs["gene_ids_of_columns"], model.vocab, rules, draws=draws)
    expected.equal("token_gene_ids", tokens.gene_ids)
    expected.equal("token_values", tokens.values)
    expected.equal("padding_mask", ~tokens.mask)
    with torch.no_grad():
        encoding = model(tokens)
        scores = classifier(tokens)
    expected.close("cls_output", scores, atol=VECTORS)
    expected.close("cell_emb", encoding.tokens[:, 0], atol=VECTORS)
    expected.equal("prediction", scores.argmax(dim=1))
    expected.all_compared()


def check_embed(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    model = ScGPT.from_checkpoint(published_folder(case, folder))
    var = pd.DataFrame(index=config["gene_names"])
    unique = AnnData(inputs["X_unique"], var=var)
    expected.close("emb_X_unique", model.embed(unique), atol=EMBEDDING)
    expected.equal("n_genes_kept", model.n_genes_seen(unique))
    for name, matrix, longest in (
        ("emb_X_counts", "X_counts", "max_length"),
        ("emb_long_sampled", config["long_matrix"], "long_max_length"),
    ):
        draws = StreamDraws(config["numpy_seed"], config["torch_seed"])
        torch.empty((), dtype=torch.int64).random_(generator=draws.torch)  # the authors' loader draws once
        ours = embed_from_streams(model, inputs[matrix], var, config[longest], config["batch_size"], draws)
        expected.close(name, ours, atol=EMBEDDING)
    several = [
        embed_from_streams(
            model, inputs["X_counts"], var, config["max_length"], config["batch_size"], StreamDraws(seed)
        )
        for seed in range(12)
    ]
    nearest = [(a * b).sum(axis=1).min() for i, a in enumerate(several) for b in several[:i]]
    theirs = expected.take("X_counts_min_cosine_between_seeds")  # of streams that are not named
    assert min(nearest) - 0.05 < theirs < max(nearest)
    expected.all_compared()


def embed_from_streams(
    model: ScGPT, counts: NDArray, var: pd.DataFrame, max_length: int, batch_size: int, draws: StreamDraws
) -> NDArray:
    """Embed cells in their order with the authors' random choices."""
    rules = BinRules(max_length=max_length, n_bins=model.config.n_bins, ties="random", published=True)
    cells = read_cells(*known_genes(counts, column_tokens(var, model.vocab), rules), rules)
    parts = []
    for start in range(0, len(cells), batch_size):
        tokens = collate(cells[start : start + batch_size], model.vocab, rules, draws)
        with torch.no_grad():
            parts.append(model.encode_cells(tokens).numpy())
    return np.concatenate(parts)


def check_losses(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    predicted, target, mask = (torch.as_tensor(inputs[name]) for name in ("pred", "target", "mask"))
    expected.close("masked_mse", masked_mse(predicted, target, mask), atol=0, rtol=1e-6)
    probability = torch.as_tensor(inputs["zero_probs"])
    expected.close("neg_log_bernoulli", expressed_loss(probability, target, mask), atol=FLOATS)
    error = masked_relative_error(predicted, target, mask)
    expected.close("masked_relative_error", error, atol=FLOATS, rtol=FLOATS)
    values = inputs["values"]
    shown = hide_share(
        values,
        values != -2,
        StreamDraws(config["numpy_seed"]).numpy,
        share=config["mask_ratio"],
        mask_value=-1,
    )
    expected.equal("random_mask_value", shown)
    expected.all_compared()


def check_pretrain(case: Path, folder: Path) -> None:
    inputs, expected = load(case / "inputs.npz"), Expected(case)
    model = ScGPT.from_checkpoint(published_folder(case, folder))
    known, generated = (
        Tokens(inputs[ids], inputs[values].astype(np.float32), inputs[ids] != model.vocab.special["<pad>"])
        for ids, values in (("pcpt_gene", "pcpt_expr"), ("gen_gene", "gen_expr_target"))
    )
    parts = SplitCells(known, generated)
    target, asked = torch.as_tensor(generated.values), torch.as_tensor(generated.mask)
    both = np.concatenate([known.mask, generated.mask], axis=1)

    def compare(name: str, ours: torch.Tensor, mask: NDArray) -> None:
        np.testing.assert_allclose(ours[mask], expected.take(name)[mask], atol=VECTORS, err_msg=name)

    with torch.no_grad():
        first = model.generate(parts)
        again = model.generate(parts, cells=first.cells)
    compare("pcpt_preds", first.known, known.mask)
    compare("gen_preds", first.generated, generated.mask)
    compare("mvc_output", first.from_cells, both)
    compare("gen_preds_cell_prompt", again.generated, generated.mask)
    expected.close("cell_emb", first.cells, atol=VECTORS)
    n_known = known.mask.shape[1]
    losses = {
        "loss_gene_prompt": first.generated,
        "loss_mvc": first.from_cells[:, n_known:],
        "loss_cell_prompt": again.generated,
    }
    for name, values in losses.items():
        expected.close(name, masked_mse(values, target, asked), atol=0, rtol=1e-5)
    expected.all_compared()


def check_perturb(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    asked = config["model"]
    sizes = {theirs: asked[name] for name, theirs in SIZES.items()}
    vocab = published_vocab(config["vocab"])
    generator = Generator(
        Config.from_published(sizes, len(vocab) + len(vocab.special)),
        padding_flag=asked["pert_pad_id"],
        activation=asked["decoder_activation"],
        adaptive_bias=asked["decoder_adaptive_bias"],
    ).eval()
    report = generator.load_trained(load_file(case / "weights.safetensors"))
    assert all(name.startswith(("cls_decoder.", "mvc_decoder.")) for name in report.unexpected)
    names = ("gene_ids_of_columns", "control_expression", "pert_flags", "target_expression")
    gene_ids, control, flags, target = (torch.as_tensor(inputs[name]) for name in names)
    expected.close("pred_all", generator.predict(gene_ids, control, flags, genes="all"), atol=VECTORS)
    batch_wise = generator.predict(gene_ids, control, flags, genes="expressed")
    expected.close("pred_batch_wise", batch_wise, atol=VECTORS)
    some = torch.as_tensor(inputs["sampled_columns"])
    sampled = (gene_ids[some].expand(len(control), -1), control[:, some], flags[:, some])
    with torch.no_grad():
        expected.close("mlm_output_sampled", generator(*sampled), atol=VECTORS)
        expected.close("loss_sampled", generator.loss(*sampled, target[:, some]), atol=0, rtol=1e-5)
    expected.all_compared()


def check_perturbation_metrics(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    cells = group_cells(inputs["pred"], inputs["truth"], np.array(config["pert_cat"]))
    control = inputs["ctrl"].mean(axis=0, dtype=np.float64)
    column = {gene: i for i, gene in enumerate(config["genes"])}
    for suffix, ranked, non_zero_genes in (("nz0", "rank_genes", False), ("nz1", "top_non_dropout", True)):
        of = {key.split("_")[1]: [column[gene] for gene in genes] for key, genes in config[ranked].items()}
        top_de = {condition: np.array(of[condition][:TOP_DE]) for condition in cells}
        found = scgpt_scores(cells, control, top_de, non_zero_genes=non_zero_genes)
        for name, values in found.items():
            expected.close(f"{name}_{suffix}", np.mean(values), atol=FLOATS)
    expected.all_compared()


def check_attention(case: Path, folder: Path) -> None:
    config, inputs, expected = read_config(case), load(case / "inputs.npz"), Expected(case)
    model = ScGPT.from_checkpoint(published_folder(case, folder))
    rules = replace(model.rules, n_bins=None, cls_value=0, include_zeros=True, published=True)
    rules = replace(rules, max_length=inputs["binned"].shape[1] + 1)
    tokens = tokenize(inputs["binned"], inputs["gene_ids_of_columns"], model.vocab, rules)
    ids = expected.take("token_gene_ids")
    np.testing.assert_array_equal(tokens.gene_ids, np.tile(ids, (len(tokens), 1)))
    scores = model.attention_scores(tokens, layer=config["layer_index"])
    n_first = len(expected.take("raw_scores_first_cells"))
    expected.close("raw_scores_first_cells", scores[:n_first], atol=RAW_SCORES)
    raw, mask = torch.as_tensor(scores[:n_first]), torch.as_tensor(tokens.mask[:n_first])
    shares = weights(raw, mask, model.config.width // model.config.n_heads)
    expected.close("softmax_first_cells", shares, atol=SHARES)
    ranked = [ranked_attention(one, published=True) for one in scores]
    expected.close("double_rank_first_cells", ranked[:n_first], atol=FLOATS)
    means = []
    for condition in range(len(config["condition_names"])):
        total = AttentionSum(len(ids), published=True)
        for cell in np.flatnonzero(inputs["condition"] == condition):
            total.add(ranked[cell])
        means.append(total.mean())
        expected.close(f"mean_rank_matrix_{condition}", means[-1], atol=FLOATS)
    regulator = ids.tolist().index(config["vocab"][config["tf"]])
    for setting, theirs in (
        ("difference", "difference"),
        ("control", "control"),
        ("perturbed", "experiment"),
    ):
        values = influence(means[0], means[1], regulator, setting=setting)
        top = top_targets(values, config["topk"])
        expected.close(f"top_{theirs}_scores", values[top], atol=FLOATS)
        asked = [ids.tolist().index(gene) for gene in expected.take(f"top_{theirs}_ids")]
        np.testing.assert_allclose(values[asked], values[top], atol=FLOATS)  # equal ones in any order
    for name in [name for name in expected.arrays if name.endswith("_default_sort")]:
        expected.take(name)  # depends on the build of the authors' sort
    expected.all_compared()


def check_gene_network(case: Path, folder: Path) -> None:
    """Vectors of genes, their similarity, and the global network, in which the authors link each gene to itself."""
    config, ids, expected = read_config(case), load(case / "inputs.npz")["gene_token_ids"], Expected(case)
    model = ScGPT.from_checkpoint(published_folder(case, folder))
    rows = model.vocab.positions(config["gene_names"])
    np.testing.assert_array_equal(model.vocab.ids[rows], ids)
    vectors = model.gene_embeddings()[rows]
    expected.close("gene_embeddings", vectors, atol=VECTORS)
    for gene in config["queries"]:
        order, found = most_similar(vectors, config["gene_names"].index(gene), centered=False)
        expected.close(f"sim_{gene}", found, atol=SIMILARITY)
        theirs = found[np.argsort(order)][expected.take(f"order_{gene}")]
        np.testing.assert_allclose(theirs, found, atol=SIMILARITY)  # equal ones in any order
    graph = threshold_graph(vectors, config["threshold"], centered=False)
    ours = {
        *zip(graph.first.tolist(), graph.second.tolist(), strict=True),
        *((i, i) for i in range(len(ids))),
    }
    cosine = cosines(vectors, centered=False)
    for pair in ours ^ {tuple(sorted(pair)) for pair in expected.take("edges").tolist()}:
        assert abs(cosine[pair] - config["threshold"]) < SIMILARITY, pair
    program = [config["gene_names"].index(gene) for gene in config["program"]]
    expected.close("mean_vector", vectors[program].mean(axis=0), atol=VECTORS)
    expected.all_compared()


CHECKS = scgpt_tokens.CHECKS | {
    "encoder": check_encoder,
    "flash": check_encoder,
    "annotation": check_annotation,
    "embed": check_embed,
    "losses": check_losses,
    "pretrain": check_pretrain,
    "perturb": check_perturb,
    "pert_metrics": check_perturbation_metrics,
    "attention": check_attention,
    "gene_grn": check_gene_network,
}
