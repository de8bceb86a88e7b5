"""Known targets of regulators: a table in a file, or the network behind a simulated screen."""

from __future__ import annotations

from pathlib import Path

from scviz.datasets.simulated import truth_of
from scviz.networks.priors import Prior, prior_of, read_prior
from scviz.tasks.attention_network import TRUTH


def known_targets(prior: str, folder: Path) -> Prior:
    """Read the targets of each regulator.

    Parameters
    ----------
    prior
        Path of a table, or TRUTH; empty for none.
    folder
        Folder of the dataset.

    Raises
    ------
    DataError
        If there is no such file, or it holds no pairs of regulator and target.
    """
    if not prior:
        return Prior(name="", targets={})
    if prior == TRUTH:
        truth = truth_of(folder)
        name = "the network that the screen was simulated with"
        return prior_of(name, zip(truth.source, truth.target, strict=True))
    return read_prior(Path(prior))
