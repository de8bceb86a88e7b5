"""Cell types: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.annotate.form import annotate_form
from pages.views.annotate.result import annotation_result

frame("annotate")
task_page(
    "annotation",
    annotate_form,
    annotation_result,
    nothing_open="Open a dataset on the Data page first; then choose the column with known cell types here.",
    nothing_run="Press Run: the model learns the types from some of the labeled cells and names the rest, or weights "
    "that know types name all cells.",
    widths=(3, 10),
)
