"""What happens in my cells if I remove a gene: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.in_silico.form import in_silico_form
from pages.views.in_silico.result import in_silico_result
from pages.views.in_silico.sweep import ranking_so_far

frame("in_silico")
task_page(
    "in_silico",
    in_silico_form,
    in_silico_result,
    nothing_open="Open a dataset on the Data page first; then choose cells and a gene here.",
    nothing_run=(
        "Choose a gene and press Run: the model reads the cells with and without it, arrows show where they move, and "
        "expression-matched random genes show what any gene would do. A simulation inside the model, not a measurement."
    ),
    while_running=ranking_so_far,
    changes_nothing=("map_run",),
)
