"""Which genes work together: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.modules.form import modules_form
from pages.views.modules.result import modules_result

frame("modules")
task_page(
    "modules",
    modules_form,
    modules_result,
    nothing_open="Open a dataset on the Data page first; then find out here which of its genes work together.",
    nothing_run="Press Run: genes that are alike are linked and clustered into modules, and each module is scored in "
    "every cell. Cells that were not used to find the modules judge them, compared with plain co-expression, "
    "expression-matched random genes and, for a model, the same model with random weights.",
    reads_a_model=False,
    own_checkpoint=False,
)
