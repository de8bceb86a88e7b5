"""Open a file of the user, the demo data, or a simulated screen, as a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from scviz.datasets.simulated import WORDS, simulation
from scviz.errors import RequestError
from scviz.tasks.fields import SEED, Switch, check_fields
from scviz.tasks.way_round import TURNED

TITLE = "Open a dataset"
HEAVY = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which file, under which name."""

    path: str
    """A file that its user may open; not used for the demo data and simulated screens."""
    name: str
    """What the dataset is called; empty takes the name of the file."""
    counts_location: str | None = None
    """`X`, `raw/X` or `layers/<name>`; None takes the matrix that the card of the file names."""
    turned: Annotated[str, TURNED] = ""
    part: str = ""
    """Genome, modality or assay that is taken of several; empty takes the first."""
    keep_names: Annotated[
        bool,
        Switch("Keep the gene names of the file", help="Else genes get the symbols they have today."),
    ] = False
    relative: Annotated[
        bool,
        Switch(
            "Take as relative expression",
            help="Open TPM, FPKM, CPM or logarithms of them, which have no counts behind them; what needs counts is "
            "refused.",
        ),
    ] = False
    stamp: str = ""
    """Tells one state of the file from the next, as `workspace.records.stamp_of` gives it."""
    demo: Annotated[bool, Switch("Demo", help="The demo data instead of a file.")] = False
    simulated: str = ""
    """Preset of a screen to simulate; empty for none."""
    seed: Annotated[int, SEED] = 0
    """Another seed gives another simulated network."""

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.path and not self.demo and not self.simulated:
            raise RequestError("No file was chosen.", hint="Choose a file, or use the demo data.")
        if self.simulated:
            simulation(self.simulated, self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The dataset."""

    dataset: str
    """Its id in the workspace."""


def demo_request() -> Request:
    """Ask for the demo data."""
    return Request(path="", name="", demo=True)


def request_of(word: str) -> Request | None:
    """Turn `demo`, `simulated`, `simulated:PRESET` or `simulated:PRESET:SEED` into a request; None for other words.

    Raises
    ------
    RequestError
        If it begins with `simulated` and has other parts behind it.

    Examples
    --------
    >>> request_of("simulated:tiny:3").seed, request_of("cells.h5ad")
    (3, None)
    """
    if word == "demo":
        return demo_request()
    name, *rest = word.split(":")
    if name != "simulated":
        return None
    preset, seed = [*rest, "", ""][:2]
    if len(rest) > 2 or (seed and not seed.isdecimal()):
        raise RequestError(
            f"{word!r} is no simulated screen.",
            hint="Write simulated:tiny, or simulated:tiny:3 for the seed 3.",
        )
    return simulated_request(preset or next(iter(WORDS)), int(seed or 0))


def simulated_request(preset: str, seed: int = 0) -> Request:
    """Ask for a simulated screen."""
    return Request(path="", name="", simulated=preset, seed=seed)
