"""Which genes tell groups of cells apart: two of them, or each from all others; choose, hand in, watch, show."""

from pages.components import state
from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.groups.form import groups_form, takes_long
from pages.views.groups.markers_form import markers_form
from pages.views.groups.markers_result import markers_result
from pages.views.groups.question import KEY, MARKERS, question
from pages.views.groups.result import groups_result

frame("groups")
if state.from_link("markers_of"):
    state.preset(KEY, MARKERS)
if question() == MARKERS:
    task_page(
        "markers",
        markers_form,
        markers_result,
        nothing_open="Open a dataset on the Data page first; then find the markers of its groups here.",
        nothing_run="Press Run: every group is compared with all other cells, in one pass over the genes. The first "
        "markers of each are compared with known markers of types of cells, beside expression-matched random genes, "
        "and may suggest a name.",
        reads_a_model=False,
        own_checkpoint=False,
        estimated=False,
        linked=True,
    )
else:
    task_page(
        "group_genes",
        groups_form,
        groups_result,
        nothing_open="Open a dataset on the Data page first; then compare two groups of its cells here.",
        nothing_run="Choose two groups and press Run: every gene is compared between them. You get a table of all "
        "genes, a volcano plot, dots, violins and a heat map, and each gene leads to the map and to the other pages.",
        reads_a_model=False,
        own_checkpoint=False,
        estimated=takes_long,
        linked=True,
    )
