"""Which genes a model lets a regulator influence: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.attention.form import attention_form
from pages.views.attention.result import attention_result

frame("attention")
task_page(
    "attention_network",
    attention_form,
    attention_result,
    nothing_open="Open a dataset on the Data page first; then choose two groups of cells and a regulator here.",
    nothing_run="Choose a regulator and press Run: the model reads both groups of cells, and the genes that attend "
    "most to the regulator are compared with known targets, co-expression and expression-matched control regulators. "
    "Attention is no proof of regulation.",
)
