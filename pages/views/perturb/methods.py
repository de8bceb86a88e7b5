"""Which methods predict a screen, with which weights, and what each can predict."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.coverage import readable
from pages.components.runs import checkpoint_name
from pages.components.text import escaped
from pages.components.widgets import Form
from scviz.datasets.columns import gene_identifiers
from scviz.datasets.gene_terms import read_terms
from scviz.datasets.perturbation_split import PerturbationSplit
from scviz.datasets.screen import Perturbation, label
from scviz.foundation.vocab import GeneVocab
from scviz.metrics.evidence import counted
from scviz.tasks.perturbation.coverage import Known, reason_against, seen_alone
from scviz.tasks.perturbation.methods import ANY_MODEL, BASELINES, METHODS, NO_WEIGHTS, Method
from scviz.workspace import CheckpointInfo, DatasetInfo


def pick_methods(
    dataset: DatasetInfo, checkpoint: CheckpointInfo | None, form: Form, *, terms: str
) -> tuple[Method, ...]:
    """Let the user choose methods beside the baselines, among those that know anything of these genes."""
    weights = {name: _weights(dataset, name, checkpoint) for name in METHODS}
    offered = [name for name in METHODS if _can_be_offered(name, weights[name], terms)]
    _begin(offered, form)
    names = st.multiselect(
        "Methods",
        offered,
        format_func=lambda name: METHODS[name].title,
        help="With four baselines, which always come: no change, the mean of perturbations, additive, linear.",
        placeholder="Baselines alone",
        key="methods",
    )
    if not names:
        st.caption("The four baselines take seconds. Networks, such as GEARS, are added here: they train.")
    _what_is_not_offered(offered)
    methods = tuple(Method(name=name, checkpoint=weights[name]) for name in names)
    _with_which_weights(methods)
    return methods


def _with_which_weights(methods: Sequence[Method]) -> None:
    used = {checkpoint_name(one.checkpoint) for one in methods if one.checkpoint}
    if used:
        st.caption(f"With the weights {escaped(', '.join(sorted(used)))}.")


def _begin(offered: Sequence[str], form: Form) -> None:
    """Set the methods to those of the result beside it; the page begins with the baselines alone."""
    if form.fresh or state.held("methods") is None:
        asked = [one["name"] for one in form.asked("methods", ())]
        state.preset("methods", [name for name in asked if name in offered])


def _can_be_offered(name: str, weights: str, terms: str) -> bool:
    card = METHODS[name]
    if name in BASELINES or (card.weights != NO_WEIGHTS and not weights):
        return False
    return bool(terms) or card.needs != "annotated"


def _what_is_not_offered(offered: Sequence[str]) -> None:
    missing = [card.title for name, card in METHODS.items() if name not in (*BASELINES, *offered)]
    if missing:
        st.caption(
            f"Not offered: {counted(len(missing), 'method')}.",
            help=f"{escaped(', '.join(missing))} need weights that know some of the genes of this dataset, or gene "
            "annotations.",
        )


def _weights(dataset: DatasetInfo, name: str, current: CheckpointInfo | None) -> str:
    """Take the weights in the header where they fit, else the newest that do."""
    needs = METHODS[name].weights
    if needs == NO_WEIGHTS:
        return ""
    fitting = [one.id for one in readable(dataset) if needs in (ANY_MODEL, one.model)]
    if current is not None and current.id in fitting:
        return current.id
    return fitting[0] if fitting else ""


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
    *,
    asked: Sequence[Perturbation],
    terms: str,
) -> None:
    """Show, before anything runs, which method can predict what is judged, and why not."""
    wanted = [*split.test, *asked]
    table = {"perturbation": [label(one) for one in wanted]}
    short = []
    for method in (*(Method(name=name) for name in BASELINES[2:]), *methods):
        known = _known(dataset, method, split, asked=asked, terms=terms)
        reasons = [reason_against(method, one, known) for one in wanted]
        table[method.card.title] = [reason or "yes" for reason in reasons]
        n_can = reasons.count("")
        if n_can < len(wanted):
            short.append(f"{method.card.title} {n_can} of {len(wanted)}")
    words = (
        f"Not everything can be predicted: {', '.join(short)}" if short else "Every method can predict all"
    )
    with st.popover(words, type="tertiary"):
        st.dataframe(pd.DataFrame(table), hide_index=True, height=320, key="reach")


def _known(
    dataset: DatasetInfo,
    method: Method,
    split: PerturbationSplit,
    *,
    asked: Sequence[Perturbation],
    terms: str,
) -> Known:
    parts = (*split.train, *split.validation, *split.test, *asked)
    perturbed = tuple(sorted({gene for one in parts for gene in one}))
    return Known(
        measured=frozenset(gene_identifiers(state.workspace().dataset_folder(dataset.id)).names),
        with_terms=_genes_with_terms(terms) if terms else None,
        vocabulary=_vocabulary(dataset.id, method.checkpoint, perturbed) if method.checkpoint else (),
        seen_alone=seen_alone(split),
    )
