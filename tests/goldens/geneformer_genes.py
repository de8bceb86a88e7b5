"""The published head that classifies genes, which the product does not offer: what remains of it is its parity."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from scviz.foundation.weights import load_tensors
from scviz.models.geneformer.checkpoint import read_checkpoint


class GeneHead(nn.Module):
    """Dropout, linear: names the class of each gene in its context."""

    def __init__(self, width: int, n_classes: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.02)
        self.classifier = nn.Linear(width, n_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score gene classes, (B, L, K), from the last hidden state (B, L, D)."""
        return self.classifier(self.dropout(tokens))


def published_gene_head(folder: Path, width: int) -> GeneHead:
    """Read the head of a published BertForTokenClassification folder."""
    checkpoint = read_checkpoint(folder)
    assert "pooler.weight" not in checkpoint.head
    head = GeneHead(width, len(checkpoint.labels))
    load_tensors(head, checkpoint.head)
    return head.eval()
