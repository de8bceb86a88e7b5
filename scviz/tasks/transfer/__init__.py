"""Name the cells of a dataset that has no labels by a labeled reference, and say how far the two lie apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from scviz.errors import RequestError
from scviz.metrics.conformal import Coverage
from scviz.metrics.evidence import Gain, Interval
from scviz.metrics.scores import ClassificationScores
from scviz.tasks.fields import FEW_GENES, SEED, Choice, Column, Needs, Number, Switch, check_fields
from scviz.tasks.transfer.held_out import NameDoubt, coverage_on, name_doubts, one_names, words_of_sets
from scviz.workspace.names import slug

TITLE = "Names from a reference"
HEAVY = True
VERSION = 3
"""1: every vote of a nearest cell counted alike. 2: cells of few types were never said to be foreign."""
NEEDS = Needs(cells=10, genes=50)

LOGISTIC = "logistic regression on shared variable genes"
PCS_LINEAR, PCS_NEAREST = "logistic regression on 50 PCs", "nearest cells on 50 PCs"
HARMONY_LINEAR, HARMONY_NEAREST = f"{PCS_LINEAR}, Harmony", f"{PCS_NEAREST}, Harmony"
MOST_CHECKPOINTS = 4
LEAST_SHARED, LEAST_READ = 0.1, 0.25
"""Share of the reference's genes, and of its molecules on these, below which nobody can tell whether it fits."""
LARGEST_SHIFT = 0.6
"""Blood of other laboratories lies 0.3 to 0.45 off the shipped reference, cell lines of lung cancers 1.0."""
LARGEST_OFFSET = 0.8
"""The same of cells of too few types to tell a common shift: single types of blood of other laboratories lie 0.35 to
0.65 off, single lines of lung cancers 0.95 to 1.3."""
SHORT = {
    LOGISTIC: "logistic",
    PCS_LINEAR: "pca_logistic",
    PCS_NEAREST: "pca_nearest",
    HARMONY_LINEAR: "harmony_logistic",
    HARMONY_NEAREST: "harmony_nearest",
}
"""Methods as names of columns have them; models go by their own names."""

Tuning = Literal["none", "lora", "full"]
TUNING: dict[Tuning, str] = {
    "none": "No",
    "lora": "LoRA + classifier",
    "full": "Full fine-tuning",
}
Nearness = Literal["near", "far", "cannot tell"]
"""Whether a cluster has a counterpart in the reference."""


def column_stem(method: str) -> str:
    """Begin the names of the columns of a method.

    Examples
    --------
    >>> column_stem(LOGISTIC), column_stem("nearest cells on my model")
    ('scviz_logistic', 'scviz_nearest_cells_on_my_model')
    """
    return f"scviz_{SHORT.get(method) or slug(method).replace('-', '_')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which cells, by which reference, in which ways."""

    dataset: str
    """The cells to be named."""
    reference: str
    """Id of a labeled dataset, or of a reference that comes with scviz or was saved; see `references`."""
    reference_version: str = ""
    """Hash of a reference that is no dataset: another one under its name is another question."""
    label_key: Annotated[
        str,
        Column(
            "Column with cell types of the reference",
            help="Where the reference is a dataset. Its cells without a label are left out.",
        ),
    ] = ""
    checkpoints: tuple[str, ...] = ()
    """Models whose cell vectors are compared with the plain methods."""
    group_key: Annotated[
        str | None,
        Column(
            "Hold out of the reference",
            none="cells, of every type",
            help="Held-out cells are never trained on; scores are measured on them. Whole donors or batches tell how "
            "well names hold in the next donor.",
        ),
    ] = None
    harmony: Annotated[
        bool,
        Switch(
            "Harmony",
            help="Also corrects principal components for the difference between the two datasets, and names by "
            "those. The correction reads both, without labels.",
        ),
    ] = False
    tuning: Annotated[
        Tuning,
        Choice(
            "Fine-tune the models, too",
            TUNING,
            help="Trains each chosen model on the reference. Takes the longest.",
            advanced=True,
        ),
    ] = "none"
    test_fraction: Annotated[
        float, Number("Cells held out", 0.05, 0.5, unit="%", step=5, help="Share.", advanced=True)
    ] = 0.2
    seed: Annotated[int, SEED] = 0
    few_genes: Annotated[bool, FEW_GENES] = False

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.reference:
            raise RequestError(
                "No reference was chosen.", hint="Choose one that comes with scviz, or a dataset."
            )
        if self.reference == self.dataset:
            raise RequestError(
                "A dataset cannot be named by itself.",
                hint="Choose another reference, or learn from its labels on the Annotate page.",
            )
        if len(set(self.checkpoints)) != len(self.checkpoints) or len(self.checkpoints) > MOST_CHECKPOINTS:
            raise RequestError(
                f"Checkpoints must be different and at most {MOST_CHECKPOINTS} (got {len(self.checkpoints)}).",
                hint="Choose fewer of them.",
            )
        if self.label_key and self.label_key == self.group_key:
            raise RequestError(
                "Cell types cannot be held out by the column they are read from.",
                hint="Choose a column of donors, samples or batches.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFit:
    """How far a cluster of the cells lies from the reference."""

    number: int
    """Counted from 1, the largest first."""
    n_cells: int
    beyond: Interval
    """Share of its cells that lie farther from every type than 95 % of the held-out cells of the reference do."""
    name: str
    """The type that most of its cells are given; '' where none of them gets a name."""
    share: float
    """Of the cells, that have this name."""
    nearness: Nearness


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How far the cells lie from the reference; no label of the cells is read."""

    n_shared: int
    """Genes that both have."""
    n_reference: int
    """Genes of the reference, those left out by rule (ribosomes, mitochondria) not counted."""
    n_query: int
    """Genes of the dataset."""
    read: float
    """Share of the reference's molecules that lie on the shared genes."""
    beyond_before: float
    """Share of all cells beyond the 95th percentile of the held-out cells of the reference, as they are."""
    beyond: float
    """The same after a shift that all types have in common, as between preparations, was taken off."""
    clusters: tuple[ClusterFit, ...]
    shift: float = 0.0
    """How far all types lie off alike, 1 at the reach of the reference; 0 where too few types are there to tell."""
    offset: float = 0.0
    """How far cells lie off the types they are named on average, where so few types are there; else 0."""
    taught: bool = False
    """Whether many of the cells taught the reference: they lie farther out on its components than new ones do."""
    exact: bool = False
    """Whether the methods on genes were judged with exactly the shared ones, and not with all of the reference."""

    @property
    def is_thin(self) -> bool:
        """Whether so few genes are read that distances say nothing: cells without them lie in the middle."""
        return self.n_shared < LEAST_SHARED * self.n_reference or self.read < LEAST_READ

    @property
    def is_foreign(self) -> bool:
        """Whether all types, or the few that are there, lie farther off than another preparation explains."""
        return self.shift > LARGEST_SHIFT or self.offset > LARGEST_OFFSET

    @property
    def is_moved(self) -> bool:
        """Whether a shift that all types have in common was taken off."""
        return 0 < self.shift <= LARGEST_SHIFT

    @property
    def far(self) -> tuple[ClusterFit, ...]:
        """Clusters without a counterpart."""
        return tuple(one for one in self.clusters if one.nearness == "far")


@dataclass(frozen=True, slots=True, kw_only=True)
class FewerGenes:
    """How a method did on the same held-out cells with a random part of their genes."""

    share: float
    """Of the genes."""
    read: float
    """Of the reference's molecules, on these genes."""
    accuracy: float
    """Mean over draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way of naming, and how it did on the held-out cells of the reference."""

    name: str
    temperature: float
    """By which its scores were divided; chosen on validation cells of the reference."""
    validated: float = float("nan")
    """Accuracy on the validation cells, by which the method that names is chosen; NaN where not known."""
    accuracy: float = float("nan")
    """On held-out cells of the reference, with `macro_f1`; NaN where a saved reference does not say."""
    macro_f1: float = float("nan")
    seconds: float = 0.0
    """How long it took."""
    scores: ClassificationScores | None = None
    """The same by type; None where the reference is no dataset."""
    fewer: tuple[FewerGenes, ...] = ()
    """What it does with fewer genes; empty where that was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Names of N cells, K types, by each method; fit; scores on held-out cells of the reference."""

    types: tuple[str, ...]
    ontology_ids: tuple[str, ...]
    """(K,) Cell Ontology ids; '' where not known."""
    methods: tuple[Method, ...]
    chosen: str
    """The method that names: the one that did best on validation cells of the reference."""
    probabilities: dict[str, NDArray[np.float32]]
    """(N, K) by method; NaN for cells in which a model sees no gene."""
    clusters: NDArray[np.int32]
    """(N,) clusters of the cells, 0 the largest; -1 for cells without counts."""
    distance: NDArray[np.float32]
    """(N,) to the nearest type, 1 at the 95th percentile of the held-out cells of the reference; a shift that all
    types have in common is taken off first. NaN for cells without a molecule of the shared genes."""
    fit: Fit
    gain: Gain | None = None
    """Of the best model over the best plain method on held-out cells; None without models."""
    truth: NDArray[np.int64] | None = None
    """(M,) types of the held-out cells of the reference; None where a saved reference did not keep them."""
    predicted: dict[str, NDArray[np.int64]] | None = None
    """(M,) what each method calls them."""
    judged: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """(M, K) probabilities that each method gives to their types."""
    baselines: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """(M,) what names without knowledge of the types, `held_out.BASELINES`, call them."""
    bars: dict[str, float] = field(default_factory=dict)
    """How odd a cell may be and still have a type in its set, by method; without too few cells set aside, there is
    none."""
    judged_bars: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """(M,) the bar of each held-out cell, by method, where it differs: for cells left out in turns, that of others."""
    n_calibrating: int = 0
    """Cells of the reference that were set aside to find the bars."""
    n_train: int = 0
    n_validation: int = 0
    reference_name: str = ""
    held_out: str = ""
    """On which cells the methods were scored, a few words."""
    verdict: str = ""
    notes: tuple[str, ...] = ()

    def best(self, method: str = "") -> NDArray[np.int64]:
        """Position of the most probable type, (N,); -1 for cells that are not seen."""
        found = self.probabilities[method or self.chosen]
        seen = np.isfinite(found).all(axis=1)
        return np.where(seen, np.nan_to_num(found).argmax(axis=1), -1)

    def names(self, method: str = "") -> NDArray[np.str_]:
        """Name every cell, (N,); '' for cells that get no name."""
        return np.array([*self.types, ""])[self.best(method)]

    def confidence(self, method: str = "") -> NDArray[np.float32]:
        """Probability of the name of every cell, (N,); NaN for cells that get none."""
        return np.asarray(self.probabilities[method or self.chosen].max(axis=1), dtype=np.float32)

    def ids(self, method: str = "") -> NDArray[np.str_]:
        """Cell Ontology id of every cell, (N,); '' where not known."""
        return np.array([*self.ontology_ids, ""])[self.best(method)]

    def sets(self, method: str = "") -> NDArray[np.object_] | None:
        """Write the set of types of every cell, (N,), '' for cells that get no name; None without sets."""
        name = method or self.chosen
        bar = self.bars.get(name)
        if bar is None:
            return None
        return words_of_sets(self.probabilities[name], bar, self.types)

    def doubts(self, method: str = "") -> tuple[NameDoubt, ...]:
        """Say of each type how far its name can be trusted; none where nothing is known of held-out cells."""
        known = (self.predicted or {}).get(method or self.chosen)
        if self.truth is None or known is None:
            return ()
        return name_doubts(self.truth, known, self.types)

    def one_names(self, method: str = "") -> NDArray[np.object_] | None:
        """Give one name of the Cell Ontology for the set of every cell, (N,); None without sets."""
        name = method or self.chosen
        bar = self.bars.get(name)
        if bar is None:
            return None
        return one_names(self.probabilities[name], bar, self.types, terms=self.ontology_ids)

    def coverage(self, method: str = "") -> Coverage | None:
        """Count how often the sets of the held-out cells hold the known type; None without sets or such cells."""
        name = method or self.chosen
        if self.truth is None or name not in self.bars or name not in self.judged:
            return None
        return coverage_on(self.truth, self.judged[name], self.judged_bars.get(name, self.bars[name]))

    def columns(self, method: str = "") -> dict[str, NDArray[Any]]:
        """Give the columns that a copy of the file gets, (N,) each: name, confidence, term, distance, set of types.

        A cell without a name has none of them: '' or NaN, which files hold as missing.
        """
        stem = column_stem(method or self.chosen)
        columns: dict[str, NDArray[Any]] = {
            f"{stem}_label": self.names(method),
            f"{stem}_confidence": self.confidence(method),
            f"{stem}_ontology_term_id": self.ids(method),
            f"{stem}_distance": np.where(self.best(method) >= 0, self.distance, np.float32(np.nan)),
        }
        sets, names = self.sets(method), self.one_names(method)
        if sets is None or names is None:
            return columns
        return columns | {f"{stem}_set": sets.astype(str), f"{stem}_set_name": names.astype(str)}
