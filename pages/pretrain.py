"""Pre-training, of a new model or further: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.pretrain.form import pretrain_form
from pages.views.pretrain.result import pretraining_result

frame("pretrain")
task_page(
    "pretraining",
    pretrain_form,
    pretraining_result,
    nothing_open="Open a dataset on the Data page first; then choose here what should learn from its cells.",
    nothing_run="Press Run: parts of your cells are hidden, and the model learns to tell what was there. No labels "
    "are needed; one cell in ten is held out to see how well it does.",
    reads_a_model=False,
    own_checkpoint=False,
    widths=(3, 10),
    changes_nothing=("model", "configuration", "demo"),
)
