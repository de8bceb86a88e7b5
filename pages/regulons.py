"""Which regulators drive my cells: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.regulons.form import regulons_form
from pages.views.regulons.result import regulons_result

frame("regulons")
task_page(
    "scenic",
    regulons_form,
    regulons_result,
    nothing_open="Open a dataset on the Data page first. A simulated one, whose network is known, is there to try.",
    nothing_run="Press Run: links from regulators to targets are found, cut into regulons, and scored in each cell, "
    "compared with plain correlation and a random ranking, so that you see what is more than co-expression. How "
    "much to expect, from simulated cells whose network is known: with 3,000 counts in a cell boosted trees and "
    "correlation find links 28 and 25 times as well as chance (AUPRC), with 300 counts 14 and 15 times, and with "
    "300 counts among 1,000 genes 1.4 and 1.9 times, where perturbing the regulators gives 6.2 times.",
    reads_a_model=False,
    own_checkpoint=False,
)
