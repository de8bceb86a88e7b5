"""What happens in my cells if I remove a gene: choose, hand in, watch, show."""

import streamlit as st

from pages.components import state
from pages.components.cells_picker import columns_of, narrow, pick_cells, pick_goal
from pages.components.coverage import enough_genes
from pages.components.frame import frame
from pages.components.genes_picker import pick_edit, seen_in
from pages.components.job_panel import job_panel
from pages.components.price import price
from pages.components.run_button import run_button
from pages.components.runs import finished_map
from pages.components.show import errors_in_words
from pages.views.in_silico.gene_set import pick_genes_or_set, take_set_from_address
from pages.views.in_silico.result import in_silico_result, ranking_so_far
from scviz.tasks.in_silico import MOST_CELLS, Request

SCOPES = {"together": "All at once", "each": "One by one", "all": "Every gene"}

frame("in_silico")

dataset, checkpoint = state.current_dataset(), state.current_checkpoint()
if dataset is None or checkpoint is None:
    st.info("Open a dataset on the Data page first; then choose cells and a gene here.")
    st.page_link("pages/data.py", label="Open a dataset", icon=":material/folder_open:")
    st.stop()

take_set_from_address()
left, right = st.columns([4, 11], gap="medium")
with left, errors_in_words():
    choice = pick_cells(dataset)
    row = st.columns(2)
    with row[0]:
        kind = pick_edit(checkpoint)
    scope = row[1].selectbox(
        "Genes",
        list(SCOPES),
        format_func=SCOPES.__getitem__,
        help="One by one is a sweep: it ranks the genes, and shows the ranking while it runs.",
        key="scope",
    )
    genes_place = st.container()
    goal = pick_goal(dataset)
    with st.popover("Advanced", width="stretch"):
        choice = narrow(dataset, choice)
        share = st.slider(
            "A knock-down leaves",
            5,
            95,
            50,
            5,
            format="%d %% of the counts",
            key="share",
            disabled=kind != "knockdown",
        )
        label_key = st.selectbox(
            "Table by",
            [*columns_of(dataset), ""],
            format_func=lambda name: name or "no column",
            key="label_key",
        )
        most_cells = st.number_input(
            "Most cells", 5, MOST_CELLS, 200, help="More are drawn at random.", key="most_cells"
        )
        n_random = st.number_input(
            "Random genes",
            5,
            1000,
            20,
            help="Expressed like the gene you choose. With 20 no p value is below 0.048.",
            key="n_random",
        )
        random_cells = st.number_input(
            "Cells of each random gene",
            5,
            MOST_CELLS,
            20,
            help="Drawn for each. More make a narrower band, and more to wait for.",
            key="random_cells",
        )
        n_exact = st.number_input(
            "Of every gene, edit the best",
            1,
            5000,
            50,
            help="Where the model has a quick screen of all genes, as Geneformer has for knock-outs, only the best are "
            "edited exactly. Other models edit every gene, which takes long.",
            key="n_exact",
            disabled=scope != "all",
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="seed")
    seen = seen_in(dataset, checkpoint, choice, int(most_cells), int(seed))
    with genes_place:
        genes = () if scope == "all" else pick_genes_or_set(dataset, seen, kind)
    if genes or scope == "all":
        request = Request(
            dataset=dataset.id,
            checkpoint=checkpoint.id,
            genes=genes,
            all_genes=scope == "all",
            together=scope == "together",
            kind=kind,
            share=share / 100,
            cells=choice.cells,
            group=choice.group,
            group_version=choice.group_version,
            most_cells=int(most_cells),
            goal=goal,
            label_key=label_key or None,
            n_random=int(n_random),
            random_cells=int(random_cells),
            n_exact=int(n_exact),
            map_run=finished_map(dataset.id, checkpoint.id),
            seed=int(seed),
        )
        enough = enough_genes(dataset, checkpoint)
        fits = price("in_silico", request)
        run_button("in_silico", request, ready=fits and enough)
        if not request.map_run and not request.sweep:
            st.caption(
                "These weights have no map of these cells yet. One is drawn for the arrows of this run; with a map "
                "from Explore all runs share one, and are faster."
            )
            st.page_link(
                "pages/explore.py", label="Draw it", icon=":material/scatter_plot:", query_params=state.link()
            )

with right:
    run_id = state.current_run("in_silico", dataset.id, checkpoint.id)
    if run_id is None:
        st.info(
            "Choose a gene and press Run: the model reads the cells with and without it, arrows show where they "
            "move, and random genes that are expressed alike show what any gene would do."
        )
        st.caption("A simulation inside the model, not a measurement.")
        st.stop()
    run = job_panel(run_id)
    if run.state == "done":
        in_silico_result(run)
    else:
        ranking_so_far(run.id)
