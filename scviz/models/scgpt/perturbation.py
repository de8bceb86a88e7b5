"""The perturbation generator: expression after a perturbation, from a control cell and the genes perturbed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
from torch import Tensor, nn

from scviz.foundation.weights import LoadReport, load_tensors
from scviz.models.scgpt.checkpoint import renamed
from scviz.models.scgpt.config import Config
from scviz.models.scgpt.network import GeneEncoder, Stack, ValueDecoder, ValueEncoder

N_FLAGS = 3
"""Rows of the embedding of flags: not perturbed, perturbed, padding."""

PRETRAINED = ("encoder.", "value_encoder.", "transformer_encoder.")
"""Parts that come from a pre-trained checkpoint."""


class AffineDecoder(nn.Module):
    """Change the control expression x of each gene to a x + b, with a and b from its token."""

    def __init__(self, config: Config, *, activation: str | None, adaptive_bias: bool) -> None:
        super().__init__()
        self.coeff_decoder = ValueDecoder(config)
        self.bias_decoder = ValueDecoder(config)
        self.activation = nn.Identity() if activation is None else getattr(nn, activation)()
        self.adaptive_bias = adaptive_bias

    def forward(self, hidden: Tensor, values: Tensor) -> Tensor:
        """Give expression, (B, L), from tokens (B, L, D) and control expression (B, L)."""
        slope = self.activation(self.coeff_decoder(hidden))
        shift = self.activation(self.bias_decoder(hidden))
        if self.adaptive_bias:
            shift = shift * values.sum(dim=1, keepdim=True) / (values != 0).sum(dim=1, keepdim=True)
        return cast(Tensor, slope * values + shift)


class Generator(nn.Module):
    """Reads control expression as log1p values, not binned, without `<cls>`; every column is a token.

    Parameters
    ----------
    padding_flag
        Flag whose vector is not trained; with 0, as in the authors' notebook, genes that are not perturbed
        get no vector.
    activation
        Of slope and shift, a class of `torch.nn` by name; None = none, as in the authors' notebook.
    adaptive_bias
        Multiply the shift by the mean of what the cell expresses.
    """

    def __init__(
        self,
        config: Config,
        *,
        padding_flag: int = 0,
        activation: str | None = None,
        adaptive_bias: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = GeneEncoder(config.n_tokens, config.width)
        self.value_encoder = ValueEncoder(config.width, config.dropout)
        self.pert_encoder = nn.Embedding(N_FLAGS, config.width, padding_idx=padding_flag)
        self.transformer_encoder = Stack(config)
        self.decoder = AffineDecoder(config, activation=activation, adaptive_bias=adaptive_bias)

    def load_pretrained(self, tensors: Mapping[str, Tensor]) -> LoadReport:
        """Take the encoder of a pre-trained network, (V, D) vectors of genes and so on; the rest stays random."""
        known = {name: tensor for name, tensor in renamed(tensors).items() if name.startswith(PRETRAINED)}
        return load_tensors(self, known, optional=("decoder.", "pert_encoder."))

    def forward(self, gene_ids: Tensor, control: Tensor, flags: Tensor) -> Tensor:
        """Predict the expression after a perturbation, (B, G).

        Parameters
        ----------
        gene_ids
            (B, G) tokens; genes that the vocabulary does not know are `<pad>` and are read all the same.
        control
            (B, G) log1p expression of control cells.
        flags
            (B, G) 1 = perturbed gene.
        """
        hidden = self.encoder(gene_ids) + self.value_encoder(control) + self.pert_encoder(flags)
        everything = torch.ones_like(gene_ids, dtype=torch.bool)
        return cast(Tensor, self.decoder(self.transformer_encoder(hidden, everything), control))

    def loss(self, gene_ids: Tensor, control: Tensor, flags: Tensor, *, observed: Tensor) -> Tensor:
        """Give the mean squared error over all genes of a batch, (B, G) each, a scalar."""
        return nn.functional.mse_loss(self(gene_ids, control, flags).float(), observed)

    @torch.no_grad()
    def predict(
        self,
        gene_ids: Tensor,
        control: Tensor,
        flags: Tensor,
        *,
        genes: Literal["all", "expressed"] = "all",
    ) -> Tensor:
        """Predict the expression of a batch, (B, G), without gradients.

        Parameters
        ----------
        gene_ids
            (G,) token of each gene.
        control, flags
            (B, G) as `forward` takes them.
        genes
            "all" reads every gene; "expressed" reads only genes that some cell of the batch expresses, and
            predicts 0 for the others, so that what a cell is given depends on the batch.
        """
        read = (
            (control != 0).any(dim=0) if genes == "expressed" else torch.ones_like(gene_ids, dtype=torch.bool)
        )
        predicted = torch.zeros_like(control, dtype=torch.float32)
        ids = gene_ids[read].expand(len(control), -1)
        predicted[:, read] = self(ids, control[:, read], flags[:, read]).float()
        return predicted
