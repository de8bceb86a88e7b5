"""Modules as tables: every method beside each other, every module, the genes of one."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.digits import DIGITS, HUNDREDTH, RATE, SHARE
from pages.components.enrich_link import enrich_set
from pages.components.show import download, escaped, table
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, SOURCES, Result
from scviz.tasks.modules.files import (
    described,
    gene_table,
    gmt,
    graphml,
    module_table,
)
from scviz.workspace.database import Run

LINKED = "modules_gene"
TALL = 340
"""Pixels of a table that scrolls."""
MOST_ROWS = 8
"""So many rows need no scrolling."""


def methods_table(result: Result) -> None:
    """Show every method on the same genes and held-out cells."""
    titles = {EXPRESSION: "Plain co-expression", RANDOM_WEIGHTS: "The model with random weights"}
    known = result.chance == result.chance  # NaN is not
    rows = []
    for name, one in result.methods.items():
        row: dict[str, object] = {
            "Method": titles.get(name) or SOURCES[name],  # type: ignore[index]  # a source, else
            "Modules": one.n_modules,
            "beyond random genes": one.n_beyond,
            "Gain of a gene": one.gain,
            "Correlation": one.coherence,
            "of random genes": one.random,
        }
        if known:
            row |= {
                "Common regulator": one.precision,
                "of all pairs": result.chance,
                "Pairs found": one.recall,
            }
        rows.append(row | {"Genes in modules": one.share, "Agreement": one.agreement})
    columns = dict.fromkeys(("Gain of a gene", "Correlation", "of random genes"), DIGITS)
    columns |= dict.fromkeys(("Common regulator", "of all pairs", "Pairs found", "Genes in modules"), SHARE)
    columns["Agreement"] = HUNDREDTH
    table(pd.DataFrame(rows), key="methods", name="modules_by_method", column_config=columns)
    more = " Common regulator: pairs of genes in one module that have a regulator in common." if known else ""
    st.caption(
        f"All methods cut the same {len(result.genes):,} genes and are judged in the same {result.n_held_out:,} cells, "
        "which are not those that modules are found in.",
        help="Gain of a gene: correlation of its module less that of expression-matched random genes, mean over all "
        "genes; 0 for genes in no module. Beyond random genes: at a false discovery rate of 5 %. Agreement: adjusted "
        f"Rand index with the modules shown; 0 is chance.{more}",
    )


def modules_table(run: Run, result: Result) -> None:
    """List the modules, offer them as files, and show one."""
    of_model = result.source != "expression"
    frame = pd.DataFrame([described(result, number) for number in range(len(result.modules))])
    columns = dict.fromkeys(("Correlation", "of random genes"), DIGITS)
    columns |= dict.fromkeys(("Like co-expression", "AUROC"), HUNDREDTH)
    table(
        frame, key="modules", name="modules", height=height_of(frame), column_config={**columns, "FDR": RATE}
    )
    row = st.container(horizontal=True, gap="small", key="modules_files")
    for label, name, write in (
        ("CSV of all methods", "all_modules.csv", partial(module_table, result)),
        ("GMT", "modules.gmt", partial(gmt, result.modules)),
        ("CSV of genes", "genes_in_modules.csv", partial(gene_table, result)),
        ("GraphML of all links", "genes_and_links.graphml", partial(graphml, result)),
    ):
        stem, ending = name.split(".")
        download(label, write, name=name, key=f"modules_{ending}_{stem}", place=row)
    st.caption(
        "Correlation between the genes of a module in cells that were not used to find it, its place among "
        "expression-matched random sets of as many genes, and the false discovery rate over all modules. AUROC: how "
        "well the score tells the type from all other cells that did not make the module; its place is among the best "
        "of all modules and types in each draw of random sets."
        + (
            " Like co-expression: genes shared with its most similar module, by those of either."
            if of_model
            else ""
        )
    )
    _one_module(run, result)


def linked_gene(run: Run, result: Result) -> None:
    """Say in which module the gene is that a link names, and choose that module, once."""
    gene = state.from_link("gene")
    if not gene:
        return
    found = next((one.name for one in result.modules if gene in one.genes), "")
    if found:
        if state.kept(LINKED) != f"{run.id} {gene}":
            state.keep(LINKED, f"{run.id} {gene}")
            state.preset("one_module", found)
        st.info(escaped(f"{gene} is in {found}, whose genes are listed below."))
        return
    why = (
        "links to none strongly enough"
        if gene in result.genes
        else "is not among the genes that were compared"
    )
    st.info(escaped(f"{gene} is in none of these modules: it {why}."))


def _one_module(run: Run, result: Result) -> None:
    """Show the genes of a module, and where to go on with them."""
    names = [one.name for one in result.modules]
    row = st.columns([3, 9], vertical_alignment="bottom")
    name = row[0].selectbox("Module", names, key="one_module")
    module = result.modules[names.index(name)]
    with row[1].container(horizontal=True, key="module_links"):
        enrich_set(run, name)
        st.page_link(
            "pages/in_silico.py",
            label="Knock out its genes one by one",
            icon=":material/genetics:",
            query_params=state.link() | {"from_run": run.id, "set": name},
        )
    genes = pd.DataFrame({"Gene": module.genes, "Similarity to the module": module.weights})
    table(
        genes,
        key="genes_of_module",
        name=name.lower().replace(" ", "_"),
        height=260,
        column_config={"Similarity to the module": DIGITS},
    )


def height_of(frame: pd.DataFrame) -> int | None:
    """Let a long table scroll."""
    return TALL if len(frame) > MOST_ROWS else None
