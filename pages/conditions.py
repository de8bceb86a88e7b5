"""What differs between conditions: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.conditions.form import conditions_form
from pages.views.conditions.result import conditions_result

frame("conditions")
task_page(
    "conditions",
    conditions_form,
    conditions_result,
    nothing_open="Open a dataset on the Data page first; then compare its conditions here.",
    nothing_run="Press Run: the share of each type and the genes of each type are compared between two conditions. "
    "Every donor counts once, however many cells it has, since cells of one donor are alike.",
    reads_a_model=False,
    own_checkpoint=False,
    estimated=False,
    linked=True,
)
