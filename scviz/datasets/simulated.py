"""What a simulated screen is: its presets, and the truth behind one that is open; light enough for pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from scviz.datasets.columns import SOURCE
from scviz.errors import DataError, RequestError
from scviz.workspace.plain_json import parse_plain
from scviz.workspace.records import from_json

Kind = Literal["CRISPRi", "CRISPRa", "knock-out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """How a screen is simulated; equal values give equal cells."""

    preset: str
    n_genes: int
    n_pathways: int
    n_regulators: int
    """Regulators of each pathway, the master among them; each of them is perturbed."""
    n_control: int
    """Unperturbed cells."""
    n_cells: int
    """Cells of each perturbation."""
    n_pairs: int
    """Pairs of regulators that are perturbed together."""
    n_inert: int
    """Genes that regulate nothing and are perturbed as well."""
    depth: int
    """Median counts of a cell."""
    base_sd: float
    """How far genes differ in their level, standard deviation of its logarithm."""
    kappa: float
    """Strength of what all perturbed cells have in common; 0 is nothing."""
    kind: Kind = "CRISPRi"
    escape: float = 0.1
    """Share of cells that carry a guide and are not perturbed."""
    ambient: float = 0.0
    """Share of the counts of a cell that come from the soup of all cells."""
    n_batches: int = 1
    n_states: int = 1
    """Cell types: constant offsets of the masters; the first has none."""
    seed: int = 0

    def __post_init__(self) -> None:
        n_others = self.n_genes - self.n_pathways * self.n_regulators
        if min(self.n_pathways, self.n_regulators - 1, n_others - self.n_inert) < 1:
            raise RequestError(
                f"{self.n_genes:,} genes are too few for {self.n_pathways} pathways of {self.n_regulators} "
                f"regulators and {self.n_inert} inert genes.",
                hint="Take more genes, or at least one pathway of two regulators.",
            )
        if not (0 <= self.escape <= 1 and 0 <= self.ambient < 1):
            raise RequestError(
                f"A share of {self.escape} escaping cells and {self.ambient} ambient counts is not possible.",
                hint="Shares lie between 0 and 1.",
            )


PRESETS: Mapping[str, Simulation] = {
    "tiny": Simulation(
        preset="tiny",
        n_genes=230,
        n_pathways=5,
        n_regulators=4,
        n_control=120,
        n_cells=24,
        n_pairs=8,
        n_inert=2,
        depth=220,
        base_sd=1.3,
        kappa=0.25,
    ),
    "clean": Simulation(
        preset="clean",
        n_genes=250,
        n_pathways=10,
        n_regulators=5,
        n_control=800,
        n_cells=80,
        n_pairs=40,
        n_inert=6,
        depth=3000,
        base_sd=1.3,
        kappa=0.25,
    ),
    "demo": Simulation(
        preset="demo",
        n_genes=1000,
        n_pathways=10,
        n_regulators=5,
        n_control=1000,
        n_cells=100,
        n_pairs=60,
        n_inert=6,
        depth=300,
        base_sd=1.9,
        kappa=0.15,
    ),
    "medium": Simulation(
        preset="medium",
        n_genes=1000,
        n_pathways=10,
        n_regulators=5,
        n_control=800,
        n_cells=100,
        n_pairs=40,
        n_inert=6,
        depth=700,
        base_sd=1.7,
        kappa=0.25,
    ),
}
WORDS: Mapping[str, str] = {
    "demo": "12,600 cells, as few counts as in a real screen: the hard case",
    "medium": "10,400 cells with more than twice the counts",
    "clean": "8,480 cells of 250 genes with ten times the counts: the network can be found",
    "tiny": "840 cells of 230 genes: over in a second",
}
"""The presets in words; the first is the default."""


def simulation(preset: str, seed: int = 0) -> Simulation:
    """Return a preset with another seed.

    Raises
    ------
    RequestError
        If there is no such preset.

    Examples
    --------
    >>> simulation("tiny", seed=3).seed
    3
    """
    if preset not in PRESETS:
        raise RequestError(
            f"There is no simulated screen {preset!r}.", hint=f"There are: {', '.join(PRESETS)}."
        )
    return dataclasses.replace(PRESETS[preset], seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The network behind a simulated screen: E edges between G genes."""

    source: tuple[str, ...]
    """Regulator of each edge."""
    target: tuple[str, ...]
    sign: NDArray[np.int64]
    """(E,) 1 activates, -1 represses."""
    a: NDArray[np.float64]
    """(E,) largest log fold that the edge can add."""
    n: NDArray[np.float64]
    """(E,) Hill coefficient."""
    pathway: dict[str, int]
    """Pathway of each gene, from 0; -1 for genes without regulators."""
    simulation: Simulation
    """What the screen was made with; `simulator.true_model` draws fresh cells from it."""


def truth_of(folder: Path) -> Truth:
    """Read the truth of an opened simulated screen; its matrix is not read.

    Parameters
    ----------
    folder
        Folder of the dataset.

    Raises
    ------
    DataError
        If the dataset holds no truth.
    """
    return _truth_in(folder / SOURCE)


def preset_of(path: Path) -> str:
    """Return the preset of a simulated screen in a file, empty if its cells were measured."""
    try:
        return _truth_in(path).simulation.preset
    except DataError:
        return ""


def _truth_in(path: Path) -> Truth:
    with h5py.File(path, "r") as file:
        try:
            return _read_truth(file["uns/truth"])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise DataError(
                "Nobody knows the network behind these cells.",
                hint="Open a simulated screen on the Data page: there it is known.",
            ) from error


def _read_truth(truth: h5py.Group) -> Truth:
    edges = truth["edges"]
    return Truth(
        source=tuple(edges["source"].asstr()[:]),
        target=tuple(edges["target"].asstr()[:]),
        sign=edges["sign"][:],
        a=edges["a"][:],
        n=edges["n"][:],
        pathway=dict(zip(truth["gene"].asstr()[:].tolist(), truth["pathway"][:].tolist(), strict=True)),
        simulation=from_json(
            Simulation, parse_plain(truth["simulation"].asstr()[()], name="truth/simulation")
        ),
    )
