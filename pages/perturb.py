"""Predict the perturbations of a screen: choose, hand in, watch, show."""

from pages.components.frame import frame
from pages.components.task_page import task_page
from pages.views.perturb.form import perturb_form
from pages.views.perturb.result import perturbation_result

frame("perturb")
task_page(
    "perturbation",
    perturb_form,
    perturbation_result,
    nothing_open="Open a screen on the Data page first: cells with the gene that was perturbed in each. A simulated "
    "one, whose network is known, is there to try.",
    nothing_run="Press Run: whole perturbations are held out, each method learns from the others and predicts them, "
    "and you see whether any of them beats plain baselines, and how near the noise of the screen lets anyone come.",
    reads_a_model=False,
    own_checkpoint=False,
)
