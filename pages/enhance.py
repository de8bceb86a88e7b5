"""More reads: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.enhance.form import enhance_form
from pages.views.enhance.result import enhancement_result

frame("enhance")
task_page(
    "enhancement",
    enhance_form,
    enhancement_result,
    nothing_open="Open a dataset on the Data page first; then denoise its cells here.",
    nothing_run="Press Run: the model first denoises cells that were down-sampled to a tenth of their reads, so that "
    "you see whether it can be trusted, and then all cells.",
    widths=(3, 10),
)
