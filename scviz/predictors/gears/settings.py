"""How GEARS is built and trained."""

from __future__ import annotations

from dataclasses import dataclass

from scviz.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class GearsSettings:
    """Settings of GEARS; those of its authors by default."""

    hidden: int = 64
    """Numbers in the vector of a gene."""
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    decay: float = 0.5
    """Factor on the learning rate after each epoch."""
    n_neighbors: int = 20
    """Other genes that a gene listens to, at most, in both graphs."""
    coexpression_threshold: float = 0.4
    """Genes whose expression is correlated no more than this are not joined."""
    go_layers: int = 1
    """Steps over the graph of perturbations."""
    ge_layers: int = 1
    """Steps over the graph of expression."""
    direction: float = 0.1
    """Weight of wrong directions in the loss that is shown; it does not change what is learned."""
    uncertainty: bool = False
    """Also learn a log variance for each gene."""
    published: bool = False
    """Smooth gene vectors in the first cell of a batch only, as the published code does."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "epochs", "n_neighbors", "go_layers", "ge_layers"):
            if getattr(self, name) < 1:
                raise RequestError(
                    f"GEARS cannot work with {name} {getattr(self, name)}.", hint="Choose 1 or more."
                )
        if self.batch_size < 2:
            raise RequestError(
                f"GEARS compares the cells of a batch, and a batch of {self.batch_size} has none to compare.",
                hint="Choose a batch size of 2 or more.",
            )
