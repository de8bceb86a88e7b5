"""One gene in one type: the cells of each donor in both conditions, and the means joined."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.gene_search import gene_search
from pages.components.show import errors_in_words, escaped, figure
from pages.components.verdict_box import footer
from pages.components.widgets import pick
from pages.views.conditions.form import samples
from scviz.plots.conditions import MOST_DONORS, donors_figure
from scviz.tasks.conditions import Request, Result, TypeGenes
from scviz.tasks.conditions.one_gene import gene_by_donor
from scviz.workspace.database import Run

GENE = "conditions_gene"
BEGUN_WITH = "conditions_gene_begun_with"
MOST_OFFERED = 8
"""Genes of a type that a click chooses."""


def draw_one_gene(run: Run, request: Request, result: Result) -> None:
    """Let the user choose a type and a gene, or a link name the gene, and draw it donor by donor."""
    order = sorted(result.genes, key=lambda one: (bool(one.reason), -one.n_changed))
    left, right = st.columns(2)
    with left:
        type_ = pick("Type", [one.type for one in order], key="conditions_gene_type")
    (one,) = [one for one in order if one.type == type_]
    folder = state.workspace().dataset_folder(request.dataset)
    gene = _gene(request, one, right)
    if not gene:
        return
    with errors_in_words():
        found = gene_by_donor(request, samples(request), folder, gene=gene, type=type_)
        drawing = donors_figure(
            found.means,
            found.sides,
            found.donors,
            heights=found.heights,
            outlines=found.outlines,
            names=result.names,
            title=f"{gene}, log expression",
            dark=state.dark(),
        )
        figure(
            drawing,
            key="donors",
            name=f"{gene}_by_donor",
            alt=f"{gene} in cells of {type_} of each donor in both conditions, means joined",
            height=380,
            footer=footer(run),
        )
        st.write(escaped(f"{found.sentence}{_chosen(one, gene)}"))
        if len(set(found.donors)) > MOST_DONORS:
            st.caption(f"The first {MOST_DONORS} of {len(set(found.donors)):,} donors are drawn.")


def _gene(request: Request, one: TypeGenes, place: DeltaGenerator) -> str:
    """Ask for any gene of the dataset, and offer the first ones of the type; empty while none is chosen."""
    linked, first = state.asked("gene"), [gene.gene for gene in one.first[:MOST_OFFERED]]
    if linked:
        state.preset(GENE, linked)
    elif first and state.held(GENE) in (None, "", state.kept(BEGUN_WITH)):  # nobody chose it
        state.preset(GENE, first[0])
        state.keep(BEGUN_WITH, first[0])
    with place:
        gene = gene_search(state.workspace().dataset(request.dataset), GENE)
    if first:
        with st.container(horizontal=True, key="conditions_first_genes", vertical_alignment="center"):
            st.caption(f"First in {escaped(one.type)}")
            for number, name in enumerate(first):
                key = f"conditions_first_{number}"
                st.button(escaped(name), key=key, type="tertiary", on_click=state.preset, args=(GENE, name))
    return gene


def _chosen(one: TypeGenes, gene: str) -> str:
    """Say that a gene at the top of a list looks larger than it is."""
    for change in one.first:
        if change.gene == gene:
            return (
                f" Among {one.n_tested:,} tested genes its adjusted p is {change.adjusted_p:.2g}; a gene chosen "
                "because it stands first looks larger than it is."
            )
    return ""
