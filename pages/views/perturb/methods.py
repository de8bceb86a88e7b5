"""Which methods predict a screen, with which weights, and what each can predict."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.runs import checkpoint_name
from pages.components.screen_picker import ScreenChoice
from scviz.datasets.columns import gene_identifiers
from scviz.datasets.gene_terms import read_terms
from scviz.datasets.perturbation_split import Kind, PerturbationSplit, split_perturbations
from scviz.datasets.screen import Perturbation, label
from scviz.errors import ScvizError
from scviz.foundation.vocab import GeneVocab
from scviz.tasks.perturbation import SPLITS
from scviz.tasks.perturbation.methods import BASELINES, METHODS, Method, Name
from scviz.tasks.perturbation.reach import Known, reason_against
from scviz.workspace import CheckpointInfo, DatasetInfo

START: tuple[Name, ...] = ("gears",)


def pick_methods(dataset: DatasetInfo, checkpoint: CheckpointInfo | None, terms: str) -> tuple[Method, ...]:
    """Let the user choose methods beside the baselines, among those that know anything of these genes."""
    weights = {name: _weights(dataset, name, checkpoint) for name in METHODS}
    offered = [
        name
        for name, card in METHODS.items()
        if name not in BASELINES
        and (card.weights == "none" or weights[name])
        and (terms or name != "linear_terms")
    ]
    names = st.multiselect(
        "Methods",
        offered,
        default=[name for name in START if name in offered],
        format_func=lambda name: METHODS[name].title,
        help="Beside four baselines, which always come: no change, the mean of perturbations, additive, linear.",
        key="methods",
    )
    missing = [card.title for name, card in METHODS.items() if name not in (*BASELINES, *offered)]
    if missing:
        st.caption(
            f"Not offered: {len(missing)} methods.",
            help=f"{', '.join(missing)} need weights that know some of the genes of this dataset, or terms of genes.",
        )
    methods = tuple(Method(name=name, checkpoint=weights[name]) for name in names)
    used = {checkpoint_name(one.checkpoint) for one in methods if one.checkpoint}
    if used:
        st.caption(f"With the weights {', '.join(sorted(used))}.")
    return methods


def _weights(dataset: DatasetInfo, name: Name, current: CheckpointInfo | None) -> str:
    """Take the weights in the header where they fit, else the newest that do."""
    needs = METHODS[name].weights
    if needs == "none":
        return ""
    fitting = [one.id for one in readable(dataset) if needs in ("any", one.model)]
    if current is not None and current.id in fitting:
        return current.id
    return fitting[0] if fitting else ""


def pick_split(choice: ScreenChoice, seed: int) -> tuple[Kind, PerturbationSplit | None]:
    """Let the user choose what is held out, among the splits that leave something to judge by."""
    possible: dict[Kind, PerturbationSplit] = {}
    for kind in SPLITS:
        try:
            possible[kind] = split_perturbations(choice.perturbations, kind, seed=seed)
        except ScvizError:
            continue
    if not possible:
        st.warning("No split of this screen leaves perturbations to learn from and to judge by.")
        return "simulation", None
    kinds = list(possible)
    kind = st.selectbox(
        "Held out",
        kinds,
        format_func=lambda one: f"{SPLITS[one]} · {len(possible[one].test)}",
        help=_HELD_OUT,
        key="split",
    )
    split = possible[kind]
    st.caption(
        f"{len(split.train) - 1} perturbations to learn from, {len(split.validation)} to stop by, "
        f"{len(split.test)} to judge by."
    )
    return kind, split


_HELD_OUT = (
    "Whole perturbations are held out, never single cells: the same rules and random numbers as GEARS has."
)


@st.cache_resource(max_entries=16)
def _genes_with_terms(terms: str) -> frozenset[str]:
    return frozenset(read_terms(state.workspace().terms_file(terms)))


@st.cache_resource(max_entries=16)
def _vocabulary(dataset: str, checkpoint: str, more: tuple[str, ...]) -> frozenset[str]:
    """Find the genes of a dataset, and further ones, that some weights know."""
    vocab = GeneVocab.load(state.workspace().checkpoint_folder(checkpoint) / "vocab.json")
    ids = gene_identifiers(state.workspace().dataset_folder(dataset))
    known = {name for name, at in zip(ids.names, vocab.match(ids), strict=True) if at >= 0}
    return frozenset(known | {name for name, at in zip(more, vocab.positions(more), strict=True) if at >= 0})


def what_each_can_predict(
    dataset: DatasetInfo,
    methods: Sequence[Method],
    split: PerturbationSplit,
    asked: Sequence[Perturbation],
    terms: str,
) -> None:
    """Show, before anything runs, which method can predict what is judged, and why not."""
    wanted = [*split.test, *asked]
    measured = frozenset(gene_identifiers(state.workspace().dataset_folder(dataset.id)).names)
    perturbed = tuple(sorted({gene for one in (*split.train, *split.validation, *wanted) for gene in one}))
    table = {"perturbation": [label(one) for one in wanted]}
    counts = []
    for method in (*(Method(name=name) for name in BASELINES[2:]), *methods):
        known = Known(
            measured=measured,
            with_terms=_genes_with_terms(terms) if terms else None,
            vocabulary=_vocabulary(dataset.id, method.checkpoint, perturbed) if method.checkpoint else (),
        )
        reasons = [reason_against(method, one, split, known) for one in wanted]
        table[method.card.title] = [reason or "yes" for reason in reasons]
        counts.append((method.card.title, sum(not reason for reason in reasons)))
    short = [f"{title} {n} of {len(wanted)}" for title, n in counts if n < len(wanted)]
    words = (
        f"Not everything can be predicted: {', '.join(short)}" if short else "Every method can predict all"
    )
    with st.popover(words, type="tertiary"):
        st.dataframe(pd.DataFrame(table), hide_index=True, height=320, key="reach")
