"""Simulate a perturbation screen whose network, effects and noise are known.

The model lives in log folds against the unperturbed state. Independent regulators add there, each by a factor
that saturates, so pairs interact where they share targets. Counts are drawn from the levels that follow.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from scviz.datasets.gene_terms import keep_terms
from scviz.datasets.perturbation_split import condition
from scviz.datasets.readers import open_file
from scviz.datasets.screen import CONTROL, Perturbation
from scviz.datasets.simulated import Simulation
from scviz.datasets.simulated_network import Network, build_network, draw_terms
from scviz.errors import RequestError
from scviz.progress import Progress, Report, silent
from scviz.workspace import DatasetInfo, Workspace

DELTA = {"CRISPRi": np.log(0.15), "CRISPRa": np.log(6.0), "knock-out": np.log(1e-3)}
"""Log fold of a perturbed gene."""
REGULATOR_NOISE, OTHER_NOISE = 0.45, 0.25
"""Standard deviation of the log fold of a gene between cells; that of regulators runs through the network."""
REGULATOR_LEVEL, REGULATOR_SD = 0.3, 0.7
"""Logarithm of the level of regulators: high enough to be seen."""
SHARE_WITH_STRESS = 0.5
STRENGTH = (0.3, 1.3)
PAIR_STRENGTH = 1.3
DEPTH_SD = 0.35
DISPERSION = 8.0
"""Shape of the gamma distribution of rates."""
BATCH_SD = 0.1
STATE_SD = 1.0
PIECE = 2048
"""Cells that are drawn at a time."""

NETWORK, CELLS = range(2)
"""Streams of random numbers, so that fresh cells share no noise with those of the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueModel:
    """What the cells of a simulated screen are drawn from."""

    simulation: Simulation
    network: Network
    terms: dict[str, frozenset[str]]
    """Terms of each gene, a noisy hint at its pathway."""
    base: NDArray[np.float64]
    """(G,) level of each gene in control."""
    stress: NDArray[np.float64]
    """(G,) how each gene answers to any perturbation, apart from the network."""
    strength: NDArray[np.float64]
    """(G,) how much stress the perturbation of each gene is."""
    states: NDArray[np.float64]
    """(S, G) own log fold of each gene in each cell type."""
    batches: NDArray[np.float64]
    """(B, G) log factor of each gene in each batch."""
    perturbations: tuple[Perturbation, ...]
    """What is perturbed in the screen: control, singles, pairs."""

    def log_folds(self, perturbation: Perturbation) -> NDArray[np.float64]:
        """Return the log fold of each gene through the network alone, without noise or stress, (G,)."""
        own = np.zeros((1, len(self.base)))
        own[0, self.columns(perturbation)] = DELTA[self.simulation.kind]
        folds: NDArray[np.float64] = self.network.log_folds(own)[0]
        return folds

    def columns(self, perturbation: Perturbation) -> list[int]:
        """Return the columns of the perturbed genes.

        Raises
        ------
        RequestError
            If there is no such gene.
        """
        absent = [gene for gene in perturbation if gene not in self.network.genes]
        if absent:
            raise RequestError(
                f"The simulated screen has no gene {absent[0]!r}.", hint="Choose one of its genes."
            )
        return [self.network.genes.index(gene) for gene in perturbation]

    def draw(
        self,
        perturbations: Sequence[Perturbation],
        codes: NDArray[np.int64],
        rng: np.random.Generator,
        *,
        states: NDArray[np.int64],
        batches: NDArray[np.int64],
    ) -> csr_matrix:
        """Draw raw counts of fresh cells.

        Parameters
        ----------
        perturbations
            P perturbations.
        codes
            (N,) which of them each cell got.
        states, batches
            (N,) cell type and batch of each cell.

        Returns
        -------
        (N, G) raw counts, float32.
        """
        delta, stress = self._effects(perturbations)
        pieces = []
        for start in range(0, len(codes), PIECE):
            part = slice(start, start + PIECE)
            code, state = codes[part], states[part]
            works = rng.random(len(code)) >= self.simulation.escape  # (N,)
            own = rng.standard_normal((len(code), len(self.base))) * self._noise()
            own += works[:, None] * delta[code] + self.states[state]
            folds = self.network.log_folds(own) + stress[code] + self.batches[batches[part]]
            pieces.append(self._counts(folds, rng))
        return csr_matrix(vstack(pieces, format="csr"))

    def _effects(
        self, perturbations: Sequence[Perturbation]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (P, G) what perturbations do to their own genes, and (P, G) the stress they are."""
        delta = np.zeros((len(perturbations), len(self.base)))
        stress = np.zeros_like(delta)
        for row, perturbation in enumerate(perturbations):
            columns = self.columns(perturbation)
            if columns:
                delta[row, columns] = DELTA[self.simulation.kind]
                strength = self.strength[columns].mean() * (PAIR_STRENGTH if len(columns) > 1 else 1.0)
                stress[row] = self.simulation.kappa * strength * self.stress
        return delta, stress

    def _noise(self) -> NDArray[np.float64]:
        noise = np.full(len(self.base), OTHER_NOISE)
        noise[: self.network.n_regulators] = REGULATOR_NOISE
        return noise

    def _counts(self, folds: NDArray[np.float64], rng: np.random.Generator) -> csr_matrix:
        """Draw counts of cells at some log folds; how deep a cell is read does not depend on them."""
        share = self.base * np.exp(folds)
        share /= share.sum(axis=1, keepdims=True)
        share += self.simulation.ambient * (self.base / self.base.sum() - share)
        depth = rng.lognormal(np.log(self.simulation.depth), DEPTH_SD, size=(len(folds), 1))
        rates = rng.standard_gamma(DISPERSION, size=folds.shape) * (depth / DISPERSION) * share
        return csr_matrix(rng.poisson(rates).astype(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedScreen:
    """A simulated screen and what it was drawn from."""

    adata: AnnData
    """Raw counts (N, G); `condition` and `cell_type` in `obs`, `batch` where there are several; `gene_name` in `var`;
    `truth` in `uns`."""
    model: TrueModel


def true_model(simulated: Simulation) -> TrueModel:
    """Draw a network, levels and effects; equal values give an equal model."""
    rng = np.random.default_rng([simulated.seed, NETWORK])
    network = build_network(simulated, rng)
    n_genes, n_regulators = len(network.genes), network.n_regulators
    base = rng.lognormal(0.0, simulated.base_sd, size=n_genes)
    base[:n_regulators] = rng.lognormal(REGULATOR_LEVEL, REGULATOR_SD, size=n_regulators)
    stress = rng.standard_normal(n_genes) * (rng.random(n_genes) < SHARE_WITH_STRESS) * (network.pathway < 0)
    states = np.zeros((simulated.n_states, n_genes))
    states[1:, network.masters()] = STATE_SD * rng.standard_normal(
        (simulated.n_states - 1, simulated.n_pathways)
    )
    several = simulated.n_batches > 1
    return TrueModel(
        simulation=simulated,
        network=network,
        base=base,
        stress=stress,
        strength=rng.uniform(*STRENGTH, size=n_genes),
        states=states,
        batches=BATCH_SD * several * rng.standard_normal((simulated.n_batches, n_genes)),
        perturbations=_perturbations(simulated, network, rng),
        terms=draw_terms(network, rng),
    )


def simulate(simulated: Simulation) -> SimulatedScreen:
    """Simulate a screen; equal values give equal cells.

    Examples
    --------
    >>> from scviz.datasets.simulated import simulation
    >>> simulate(simulation("tiny")).adata.shape
    (840, 230)
    """
    model = true_model(simulated)
    rng = np.random.default_rng([simulated.seed, CELLS])
    sizes = [simulated.n_control, *[simulated.n_cells] * (len(model.perturbations) - 1)]
    codes = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))  # (N,)
    states = rng.integers(simulated.n_states, size=len(codes))
    batches = rng.integers(simulated.n_batches, size=len(codes))
    counts = model.draw(model.perturbations, codes, rng, states=states, batches=batches)
    obs = pd.DataFrame(
        {
            "condition": _named([condition(one) for one in model.perturbations], codes),
            "cell_type": _named([f"state {i + 1}" for i in range(simulated.n_states)], states),
        },
        index=[f"CELL{i}" for i in range(len(codes))],
    )
    if simulated.n_batches > 1:
        obs["batch"] = _named([f"batch {i + 1}" for i in range(simulated.n_batches)], batches)
    genes = list(model.network.genes)
    var = pd.DataFrame({"gene_name": genes}, index=genes)
    adata = AnnData(X=counts, obs=obs, var=var, uns={"truth": _truth(model)})
    return SimulatedScreen(adata=adata, model=model)


def open_simulated(
    simulated: Simulation, workspace: Workspace, folder: Path, *, report: Report = silent
) -> DatasetInfo:
    """Simulate a screen and open it as a dataset; the same one is opened once.

    Parameters
    ----------
    folder
        Where the file lies until it is opened.
    """
    report(Progress(stage="Simulating a screen"))
    screen = simulate(simulated)
    name = f"simulated-{simulated.preset}-seed-{simulated.seed}"
    path = folder / f"{name}.h5ad"
    screen.adata.write_h5ad(path)
    n_edges = len(screen.model.network.source)
    note = (
        f"These cells are simulated: a network of {n_edges:,} edges between {simulated.n_genes:,} made-up genes, "
        f"{simulated.kind} of {len(screen.model.perturbations) - 1} genes or pairs, seed {simulated.seed}."
    )
    words = f"{simulated.preset}, seed {simulated.seed}" if simulated.seed else simulated.preset
    info = open_file(
        path,
        workspace,
        name=f"Simulated screen ({words})",
        report=report,
        notes=(note,),
    )
    path.unlink()
    keep_terms(
        screen.model.terms,
        workspace,
        name=f"Terms of the simulated screen ({words})",
        source="simulated with the screen: most terms of its pathway for each gene, and two at random",
    )
    return info


def _perturbations(
    simulated: Simulation, network: Network, rng: np.random.Generator
) -> tuple[Perturbation, ...]:
    """Perturb every regulator, some pairs of them, and some genes that regulate nothing."""
    n_regulators = network.n_regulators
    inert = rng.choice(np.arange(n_regulators, len(network.genes)), size=simulated.n_inert, replace=False)
    first, second = np.triu_indices(n_regulators, k=1)
    pairs = rng.choice(len(first), size=min(simulated.n_pairs, len(first)), replace=False)
    columns = [
        *((i,) for i in range(n_regulators)),
        *((int(i),) for i in np.sort(inert)),
        *((int(first[i]), int(second[i])) for i in np.sort(pairs)),
    ]
    return (CONTROL, *(tuple(sorted(network.genes[i] for i in one)) for one in columns))


def _named(names: list[str], codes: NDArray[np.int64]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=names)


def _truth(model: TrueModel) -> dict[str, object]:
    """Put the truth into values that an h5ad file can hold."""
    network = model.network
    genes = np.array(network.genes, dtype=object)
    return {
        "edges": {
            "source": genes[network.source],
            "target": genes[network.target],
            "sign": np.sign(network.a).astype(np.int64),
            "a": network.a,
            "n": network.n,
        },
        "gene": genes,
        "pathway": network.pathway,
        "simulation": json.dumps(dataclasses.asdict(model.simulation)),
    }
