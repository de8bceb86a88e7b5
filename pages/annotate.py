"""Cell types: choose, hand in, watch, show; learned from the dataset's own labels, by a reference, or in the file."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.annotate.form import annotate_form
from pages.views.annotate.in_file import names_in_file
from pages.views.annotate.reference_form import reads_a_model, reference_form
from pages.views.annotate.reference_result import reference_result
from pages.views.annotate.result import annotation_result
from pages.views.annotate.way import choose_way, way

frame("annotate")
chosen = way()
if chosen == "file":
    choose_way()
    names_in_file()
elif chosen == "reference":
    task_page(
        "transfer",
        reference_form,
        reference_result,
        nothing_open="Open a dataset on the Data page first.",
        nothing_run="Press Run: every cell gets a name from the reference, with a confidence, and you see which "
        "clusters the reference does not know. It takes seconds and no labels.",
        reads_a_model=False,
        own_checkpoint=False,
        estimated=reads_a_model,
        widths=(3, 10),
        above=choose_way,
    )
else:
    task_page(
        "annotation",
        annotate_form,
        annotation_result,
        nothing_open="Open a dataset on the Data page first; then choose the column with known cell types here.",
        nothing_run="Press Run: the model learns the types from some of the labeled cells and names the rest, or "
        "weights that know types name all cells.",
        widths=(3, 10),
        above=choose_way,
    )
