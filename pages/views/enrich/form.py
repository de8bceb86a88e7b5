"""Which genes to ask about: typed, a set of a finished run, or those that tell cells apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from pages.components import state
from pages.components.cells_picker import GROUP, columns_of
from pages.components.missing import EXPLORE, Missing
from pages.components.runs import clock, describe
from pages.components.widgets import Form, pick
from pages.views.enrich.gene_sets import pick_gene_sets
from scviz.tasks.enrichment import Request
from scviz.tasks.enrichment.sources import RunSets, sets_of_run, tasks_with_sets
from scviz.workspace import DatasetInfo
from scviz.workspace.database import Run
from scviz.workspace.groups import group_version, read_groups

KINDS = {"group": "A group", "run": "A run", "typed": "Typed"}
OTHERS = "all other cells"
LINKED = {
    "from_run": "run", "set": "name", "group": "group", "column": "column", "against": "against", "genes": "genes"
}  # fmt: skip
"""Fields of the question, by the name that a link has for them."""
ADVANCED = (
    *("fewest_genes", "most_genes", "max_fdr", "least_change", "most_cells"),
    *("n_random", "n_shuffles", "n_permutations", "seed"),
)


def enrich_form(dataset: DatasetInfo, run: Run | None) -> Request | Missing:
    """Ask; what is missing until it is said which genes. A link to the page says it at first."""
    form = Form(Request, "enrichment", run)
    _begin(dataset, form)
    question = _question(dataset, form)
    sets = pick_gene_sets()
    with st.popover("Advanced", width="stretch"):
        checkpoint = _background(question)
        numbers = {name: form.number(name) for name in ADVANCED}
    if isinstance(question, Missing):
        return question
    return replace(question, sets=sets, checkpoint=checkpoint, **numbers)


def _begin(dataset: DatasetInfo, form: Form) -> None:
    """Set what the form draws itself: to the question of a result that is new here, else to that of a link."""
    opened, linked = state.held("question_kind") is None, {name: state.from_link(name) for name in LINKED}
    if form.fresh:
        asked = {name: form.asked(name, "") for name in (*LINKED.values(), "sets", "checkpoint")}
        _set(asked | {"genes": ", ".join(form.asked("genes", ()))})
        state.preset("sets", asked["sets"])
        state.preset(f"background_{asked['run']}", asked["checkpoint"])
    elif opened and any(linked.values()):
        asked = {field: linked[name] for name, field in LINKED.items()}
        if _is_here(dataset, asked):
            _set(asked)
        else:
            state.left_out("The link asks for genes of cells or of a run that are not here. Choose others.")
            _start()
    elif opened:
        _start()


def _start() -> None:
    """Ask for what this session has asked for last."""
    state.preset("question_kind", state.kept("question_kind") or "group")


def _is_here(dataset: DatasetInfo, asked: Mapping[str, str]) -> bool:
    """Tell whether the dataset has the cells, or the run the set, that a link asks for."""
    if asked["run"]:
        run = _runs(dataset).get(asked["run"])
        return run is not None and asked["name"] in ("", *_sets(run.id, run.ended).sets)
    if asked["genes"]:
        return True
    if not asked["column"]:
        return asked["group"] in read_groups(state.workspace().dataset_folder(dataset.id))
    if asked["column"] not in columns_of(dataset):
        return False
    return {asked["group"], asked["against"]} - {""} <= set(dataset.column(asked["column"]).values)


def _set(asked: Mapping[str, str]) -> None:
    """Set which genes are asked for."""
    run, column, group = asked["run"], asked["column"] or GROUP, asked["group"]
    state.preset("question_kind", "run" if run else "typed" if asked["genes"] else "group")
    if run:
        state.preset("from_run", run)
        state.preset(f"set_of_{run}", asked["name"])
    elif asked["genes"]:
        state.preset("typed_genes", asked["genes"])
    else:
        state.preset("group_column", column)
        state.preset(f"group_{column}", group)
        state.preset(f"against_{column}_{group}", asked["against"])


def _background(question: Request | Missing) -> str:
    """Let the user choose the genes that could have been chosen."""
    known = {info.id: f"measured genes that {info.name} knows" for info in state.workspace().checkpoints()}
    backgrounds = {"": "all measured genes"} | known
    return pick(
        "Background",
        list(backgrounds),
        first="" if isinstance(question, Missing) else checkpoint_of(question),
        words=backgrounds.__getitem__,
        help="Genes that could have been chosen. Of a run, only those that it compared.",
        key=f"background_{'' if isinstance(question, Missing) else question.run}",
    )


def _question(dataset: DatasetInfo, form: Form) -> Request | Missing:
    kind = st.segmented_control(
        "Which genes",
        list(KINDS),
        required=True,
        format_func=KINDS.__getitem__,
        help="Those that tell a group of cells apart, a module or regulon of a finished run, or genes that you type.",
        key="question_kind",
    )
    state.keep("question_kind", kind)
    if kind == "run":
        return _of_a_run(dataset)
    return _typed(dataset) if kind == "typed" else _of_a_group(dataset, form)


def _typed(dataset: DatasetInfo) -> Request | Missing:
    text = st.text_area(
        "Genes",
        placeholder="ISG15, IFIT1, MX1",
        help="Symbols or Ensembl ids, separated by spaces, commas or lines. What is not measured is listed.",
        key="typed_genes",
        persist_state="session",
    )
    genes = tuple(dict.fromkeys(re.split(r"[\s,;]+", text.strip()))) if text.strip() else ()
    if not genes:
        return Missing(reason="No gene was named. Type or paste some above.")
    return Request(dataset=dataset.id, genes=genes)


@st.cache_resource(max_entries=8)
def _sets(run_id: str, ended: float) -> RunSets:  # noqa: ARG001 - a run that was resumed ended anew
    return sets_of_run(state.workspace(), run_id)


def _runs(dataset: DatasetInfo) -> dict[str, Run]:
    """Find the finished runs that have gene sets of these cells, the newest first."""
    return {
        run.id: run
        for run in state.queue().runs(states=("done",), owner=state.owner())
        if run.task in tasks_with_sets() and run.request["dataset"] == dataset.id
    }


def _of_a_run(dataset: DatasetInfo) -> Request | Missing:
    runs = _runs(dataset)
    if not runs:
        return Missing(
            reason="No finished run has gene sets of these cells yet: find modules or regulons first.",
            page="pages/modules.py",
            label="Find modules",
        )
    chosen = pick(
        "Run",
        list(runs),
        words=lambda run: f"{describe(runs[run])} · {clock(runs[run].ended)}",
        key="from_run",
    )
    sets = _sets(chosen, runs[chosen].ended).sets
    if not sets:
        return Missing(reason="This run has found no gene sets. Choose another one.")
    name = pick(
        "Gene set of the run",
        list(sets),
        words=lambda name: f"{name} · {len(sets[name]):,} genes",
        key=f"set_of_{chosen}",
    )
    return Request(dataset=dataset.id, run=chosen, name=name)


def checkpoint_of(question: Request) -> str:
    """Return the weights that made the genes; empty if none did."""
    if not question.run:
        return ""
    return _sets(question.run, state.queue().get(question.run).ended).checkpoint


def _of_a_group(dataset: DatasetInfo, form: Form) -> Request | Missing:
    groups = read_groups(state.workspace().dataset_folder(dataset.id))
    columns = [*columns_of(dataset), *([GROUP] if groups else [])]
    if not columns:
        return Missing(
            reason="This dataset has no column that tells cells apart: circle and name cells on the map.",
            page=EXPLORE,
            label="Name cells on the map",
        )
    column = pick("Cells from", columns, key="group_column")
    values = list(groups) if column == GROUP else list(dataset.column(column).values)
    group = pick("Genes of", values, key=f"group_{column}")
    if column == GROUP:
        asked = Request(dataset=dataset.id, group=group, group_version=group_version(groups[group]))
    else:
        against = _against(column, group, values)
        asked = Request(dataset=dataset.id, column=column, group=group, against=against)
    method = form.choice("method")
    if method == "prerank":
        return replace(asked, method=method)
    return replace(asked, direction=form.choice("direction"))


def _against(column: str, group: str, values: list[str]) -> str:
    """Let the user choose the other cells."""
    others = ["", *(value for value in values if value != group)]
    return pick("Compared with", others, words=lambda value: value or OTHERS, key=f"against_{column}_{group}")
