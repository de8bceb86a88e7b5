"""Tell by ten real cells whether the weights of a checkpoint and its genes belong together.

What is compared is the model's own pre-training loss. It must be lower than that of the same network with random
weights, or the weights hold nothing; and lower than with the names of the genes shuffled, or each gene in the place
of its neighbor in the list, or the weights belong to another list of genes. A wrong pairing loads without an error,
since all shapes fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scviz.metrics.evidence import Interval

N_CELLS = 10
N_SHUFFLED = 3
SHIFTS = (-1, 1)
"""Lists that are longer or shorter by a special token put each gene in the place of a neighbor."""
FEWEST_GENES = 50
"""Fewer known genes among those of the cells cannot tell."""

Outcome = Literal["passed", "not passed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What ten cells say of some weights."""

    n_genes: int
    """Genes of the cells that the vocabulary knows."""
    of_genes: int
    own: float = 0.0
    """Mean loss of the weights as they are."""
    random: float = 0.0
    """Of the same network with random weights."""
    shuffled: float = 0.0
    """Of the weights with the names of the genes shuffled, a mean of N_SHUFFLED."""
    shifted: float = 0.0
    """Of the weights with each gene in the place of a neighbor in the list: the lower of both sides."""
    over_random: Interval | None = None
    """By how much random weights are worse, cell by cell; None where it cannot be told."""
    over_shuffled: Interval | None = None
    """By how much shuffled names are worse, cell by cell; None where it cannot be told."""
    over_shifted: Interval | None = None
    """By how much places of neighbors are worse, cell by cell; None where it cannot be told."""
    reason: str = ""
    """Why nothing can be told."""

    @property
    def outcome(self) -> Outcome:
        """Whether weights and genes belong together."""
        compared = [one.low for one in (self.over_random, self.over_shuffled, self.over_shifted) if one]
        if not compared:
            return "unknown"
        return "passed" if min(compared) > 0 else "not passed"

    @property
    def sentence(self) -> str:
        """The outcome with its numbers."""
        if self.outcome == "unknown":
            return f"The self-test cannot tell whether weights and genes belong together: {self.reason}"
        own, random, shuffled, shifted = map(_short, (self.own, self.random, self.shuffled, self.shifted))
        numbers = (
            f"The self-test is {self.outcome}: the loss of pre-training on {N_CELLS} blood cells is {own}, with random "
            f"weights {random}, with the names of its genes shuffled {shuffled}, with each gene in the place of its "
            f"neighbor in the list {shifted} (lower is better)."
        )
        if self.outcome == "passed":
            return numbers
        if self.over_random is not None and self.over_random.low <= 0:
            return (
                f"{numbers} These weights are no better than random ones: the file may be damaged, or of a network "
                "that was trained for something else."
            )
        return (
            f"{numbers} Other names are no worse: these weights may belong to another list of genes than the one that "
            "lies beside them."
        )


def _short(loss: float) -> str:
    return f"{loss:.3g}" if abs(loss) < 1000 else f"{loss:,.0f}"
