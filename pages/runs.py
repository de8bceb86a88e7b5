"""Every run: what was asked, how far it is, what came out, how to go on."""

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.frame import PAGES, RESULT_PAGE, frame
from pages.components.job_panel import OPEN, WORDS, duration, job_panel, wait_in_words
from pages.components.runs import clock, dataset_name, describe, model_name
from pages.components.text import escaped
from pages.components.trash import offer_delete, offer_keep, trash_panel
from scviz.tasks import front

frame("runs", pickers=False)
trash_panel()

everything = st.toggle("Show files opened, estimates and exports too", key="show_small")
found = state.queue().runs(owner=state.owner())
if (
    state.settings().login
    and state.person().role == "owner"
    and st.toggle("Runs of everybody", key="all_runs")
):
    found = state.queue().of_everybody()
runs = [run for run in found if everything or front(run.task).HEAVY]
if not runs:
    st.info(
        "Nothing has run yet. Draw a map on the Explore page, or annotate cell types on the Annotate page."
    )
    st.page_link(
        "pages/annotate.py",
        label="Annotate cell types",
        icon=PAGES["annotate"].icon,
        query_params=state.link(),
    )
    st.stop()

waits = state.queue().waits()
rows = [
    {
        "What": front(run.task).TITLE,
        "Dataset": dataset_name(run),
        "Weights": model_name(run),
        "State": wait_in_words(waits.get(run.id)) if run.state == "queued" else WORDS[run.state],
        "Done": 100 * run.fraction,
        "Started": clock(run.started),
        "Took": duration(run.ended - run.started) if run.ended and run.started else "",
        "Run": run.id,
    }
    for run in runs
]
picked = st.dataframe(
    pd.DataFrame(rows),
    key="runs_table",
    hide_index=True,
    height=min(360, 38 + 35 * len(rows)),
    on_select="rerun",
    selection_mode="single-row",
    column_config={"Done": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100)},
)
chosen = picked.selection["rows"]
in_address = [i for i, run in enumerate(runs) if run.id == st.query_params.get("run")]
if not chosen and not in_address:
    st.caption("Choose a row to see how the run was made, its log, and ways to go on.")
    st.stop()

run = runs[(chosen or in_address)[0]]
state.show_run(run.id)
st.subheader(escaped(describe(run)), anchor=False)
run = job_panel(run.id)
if run.state == "done" and run.task in RESULT_PAGE:
    page = PAGES[RESULT_PAGE[run.task]]
    chosen_then = {name: run.request[name] for name in ("dataset", "checkpoint") if run.request.get(name)}
    query = {**chosen_then, "run": run.id}
    st.page_link(page.file, label="Open the result", icon=page.icon, query_params=query)
if run.note:
    st.caption(escaped(run.note))

left, right = st.columns(2, gap="large")
with left:
    st.caption("What was asked")
    st.json(run.request, expanded=True)
with right:
    st.caption("Log")
    st.code(state.queue().log(run.id)[-4000:] or "The log is empty.", language=None, height=260)
    if run.state not in OPEN and state.queue().hers(run):
        offer_keep(run.id)
        offer_delete("run", run.id, key="delete_run", label="Delete this run")
