"""What the authors train to name cell types."""

from __future__ import annotations

from scviz.models.scbert.network import Network


def freeze_as_published(network: Network) -> None:
    """Train only the last LayerNorm and the second to last layer, not the last; gene and level vectors stay.

    The head of cell types is no part of the network and is trained in any case. New random features are still
    drawn for every layer, frozen or not.
    """
    network.requires_grad_(False)
    network.norm.requires_grad_(True)
    for part in list(network.performer.layers())[-2:][0]:  # of one layer, that one
        part.requires_grad_(True)
