"""What a search for gene modules found: verdict, methods beside each other, modules, network, types, map, stability."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.enrich_link import enrich_set
from pages.components.finished import result_of
from pages.components.gene_of_network import network_of_run
from pages.components.job_panel import duration
from pages.components.score_map import score_map
from pages.components.show import figure, table
from pages.components.verdict_box import footer, verdict_box
from scviz.datasets.columns import cell_names
from scviz.plots.modules import module_scores_figure, stability_figure
from scviz.tasks.modules import EXPRESSION, RANDOM_WEIGHTS, SOURCES, Result
from scviz.tasks.modules.files import (
    cell_columns,
    described,
    gene_table,
    gmt,
    graphml,
    module_table,
    standardized,
)
from scviz.workspace.database import Run

DIGITS = st.column_config.NumberColumn(format="%.3f")
ROUND = st.column_config.NumberColumn(format="%.2f")
SMALL = st.column_config.NumberColumn(format="%.2e")
SHARE = st.column_config.NumberColumn(format="percent")
CELLS_HELP = (
    "used: whether a cell was used to find the modules or to judge them. told: whether types were told apart in it. "
    "gain over: what a cell that judges says of the gain over another method; the gain is the mean."
)
TALL, MOST_ROWS = 340, 8
"""Pixels of a table that scrolls, and how many rows do not need one."""


def modules_result(run: Run) -> None:
    """Show a finished run."""
    result = result_of(run, Result)
    verdict_box(result.outcome, result.verdict, run=run, notes=result.notes)
    small_print = " · ".join((footer(run), SOURCES[result.source]))
    _methods(result)
    if not result.modules:
        st.info(
            "No module is large enough. Lower the resolution, link more neighbors, or allow smaller modules."
        )
        _stability(run, result, small_print)
    else:
        names = ["Modules", "Network", "Types", "Map", "Stability", "Cells"]
        modules, network, types, on_map, firm, cells = st.tabs(names, key="modules_tabs")
        with modules:
            _modules(run, result)
        with network:
            network_of_run(run, result.drawing, key="network", name="module_network", footer=small_print)
        with types:
            _types(result, small_print)
        with on_map:
            names = [one.name for one in result.modules]
            score_map(run, names, result.scores, label="Module", title="score", key="module")
        with firm:
            _stability(run, result, small_print)
        with cells:
            _cells(run, result)
    _how_it_was_made(run, result)


def _methods(result: Result) -> None:
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
    columns["Agreement"] = ROUND
    table(pd.DataFrame(rows), key="methods", name="modules_by_method", column_config=columns)
    more = " Common regulator: pairs of genes in one module that have a regulator in common." if known else ""
    st.caption(
        f"All methods cut the same {len(result.genes):,} genes and are judged in the same {result.n_held_out:,} cells, "
        "which are not those that modules are found in.",
        help="Gain of a gene: correlation of its module less that of expression-matched random genes, mean over all "
        "genes; 0 for genes in no module. Beyond random genes: at a false discovery rate of 5 %. Agreement: adjusted "
        f"Rand index with the modules shown; 0 is chance.{more}",
    )


def _modules(run: Run, result: Result) -> None:
    of_model = result.source != "expression"
    frame = pd.DataFrame([described(result, number) for number in range(len(result.modules))])
    columns = dict.fromkeys(("Correlation", "of random genes"), DIGITS)
    columns |= dict.fromkeys(("Like co-expression", "AUROC"), ROUND)
    table(
        frame, key="modules", name="modules", height=_height(frame), column_config={**columns, "FDR": SMALL}
    )
    row = st.container(horizontal=True, gap="small", key="modules_files")
    _file(row, "CSV of all methods", lambda: module_table(result), name="all_modules.csv", mime="text/csv")
    _file(row, "GMT", lambda: gmt(result.modules), name="modules.gmt", mime="text/plain")
    _file(row, "CSV of genes", lambda: gene_table(result), name="genes_in_modules.csv", mime="text/csv")
    _file(
        row,
        "GraphML of all links",
        lambda: graphml(result),
        name="genes_and_links.graphml",
        mime="application/xml",
    )
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


def _height(frame: pd.DataFrame) -> int | None:
    """Let a long table scroll."""
    return TALL if len(frame) > MOST_ROWS else None


def _file(row: DeltaGenerator, label: str, write: Callable[[], str], *, name: str, mime: str) -> None:
    row.download_button(
        label,
        data=lambda: write().encode(),
        file_name=name,
        mime=mime,
        key=f"modules_{name.partition('.')[2]}_{name.partition('.')[0]}",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )


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


def _types(result: Result, footer: str) -> None:
    if not result.types:
        st.info("Choose a column to compare scores between, to see in which cells each module is active.")
        return
    names = [one.name for one in result.modules]
    means = result.mean_scores.T  # (M, T)
    drawing = module_scores_figure(standardized(result), means, names, types=result.types, dark=state.dark())
    height = 250 + 18 * len(names)
    figure(drawing, key="heat", name="modules_in_types", alt="Modules in types", height=height, footer=footer)
    st.caption(
        "Each row goes from its lowest to its highest type, as published, however small the difference is: the numbers "
        "below say how well a score tells a type from all other cells (AUROC), in cells that did not make the modules. "
        "0.5 is chance."
    )
    frame = pd.DataFrame(result.auroc.T, columns=list(result.types))
    frame.insert(0, "Module", names)
    columns = dict.fromkeys(frame.columns[1:], ROUND)
    table(frame, key="auroc", name="modules_auroc", height=_height(frame), column_config=columns)


def _stability(run: Run, result: Result, footer: str) -> None:
    firm = result.stability
    drawing = stability_figure(
        firm.resolutions,
        firm.n_modules,
        (firm.between_seeds, firm.to_next, firm.share, firm.modularity),
        chosen=run.request.get("resolution", 1.0),
        dark=state.dark(),
    )
    figure(drawing, key="stability", name="stability", alt="Stability", height=420, footer=footer)
    st.caption(
        "Same: adjusted Rand index of two cuts, 1 is equal and 0 what chance gives. A resolution is trustworthy where "
        "another seed and the next resolution give about the same modules."
    )
    frame = pd.DataFrame(
        {
            "Resolution": firm.resolutions,
            "Modules": firm.n_modules,
            "Genes in modules": firm.share,
            "Modularity": firm.modularity,
            "Same with another seed": firm.between_seeds,
            "Same at the next resolution": firm.to_next,
        }
    )
    columns = dict.fromkeys(frame.columns[3:], ROUND) | {"Genes in modules": SHARE}
    table(frame, key="ladder", name="resolutions", column_config=columns)


def _cells(run: Run, result: Result) -> None:
    names = cell_names(state.workspace().dataset_folder(run.request["dataset"]))
    frame = pd.DataFrame({"cell": list(names)} | cell_columns(result))
    st.caption(
        f"Score of {len(result.modules):,} modules in {len(frame):,} cells; the first ten are shown.",
        help=CELLS_HELP,
    )
    st.dataframe(frame.head(10), hide_index=True, key="scores")
    _file(
        st.container(key="scores_files"),
        "CSV of all cells",
        lambda: frame.to_csv(index=False),
        name="module_scores.csv",
        mime="text/csv",
    )


def _how_it_was_made(run: Run, result: Result) -> None:
    with st.expander("How it was made"):
        st.caption(
            f"{len(result.genes):,} genes, those whose counts vary most beyond depth and chance (Pearson residuals). "
            f"{result.n_found:,} cells to find modules, {result.n_held_out:,} others to judge them. Seed "
            f"{run.request.get('seed', 0)}. Took {duration(result.seconds)}."
        )
        st.caption(
            "Score: mean expression (log1p of scaled counts) of the module less that of control genes, 50 from "
            "each of 25 bins of expression in which it has genes (scanpy's score_genes, seed 0)"
            + (", stretched from 0 to 1 over cells." if result.scaled else ".")
        )
        st.caption(
            "Genes that a model puts together need not be regulated together: vectors also say which genes are "
            "measured alike, or expressed as strongly."
        )
